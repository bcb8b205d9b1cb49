"""The first job of a process, before any of a person's: it compiles the number kernels and fills the caches.

On a processor that has never done it this takes half a minute, which no job and no time limit should bear. The photo is
the sample, which has hair.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deep3d.errors import NoFaceFound
from deep3d.files.assets import sample_photo
from deep3d.photo import read_photo
from serving.worker.face_finding import FaceFinder
from serving.worker.reconstruct import Write

_log = logging.getLogger(__name__)


def warm_up(finder: FaceFinder, write: Write) -> None:
    """Make a face of the same photo twice with all its files, and throw it away: one photo takes no other way."""
    start = time.perf_counter()
    photo = read_photo(sample_photo())
    with suppress(NoFaceFound), TemporaryDirectory(prefix="deep3d-") as folder:
        write(finder.same_person([photo, photo]).merged, Path(folder) / "face")
    _log.info("warm after %.1f s", time.perf_counter() - start)
