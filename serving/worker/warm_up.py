"""The first job of a process, before any of a person's: it compiles the number kernels and fills the caches.

On a processor that has never done it this takes half a minute, which no job and no time limit should bear. The photo is
drawn: the mean face of the model, which the detector takes for a face.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deep3d import FaceModel, Photo, Pose, draw_view
from deep3d.errors import NoFaceFound
from deep3d.export.images import albedo_image
from serving.worker.face_finding import FaceFinder
from serving.worker.reconstruct import Write

PIXELS = 512
TEXTURE_PIXELS = 1024
_BACKGROUND = (233, 233, 233)

_log = logging.getLogger(__name__)


def warm_up(finder: FaceFinder, write: Write, face_model: FaceModel) -> None:
    """Make a face of two drawn photos with all its files, and throw it away: one photo takes no other way."""
    start = time.perf_counter()
    photo = mean_face(face_model)
    with suppress(NoFaceFound), TemporaryDirectory(prefix="deep3d-") as folder:
        write(finder.same_person([photo, photo]).merged, Path(folder) / "face")
    _log.info("warm after %.1f s", time.perf_counter() - start)


def mean_face(face_model: FaceModel) -> Photo:
    """A picture of nobody."""
    texture = albedo_image(face_model, face_model.mean_albedo, TEXTURE_PIXELS)
    pixels = draw_view(face_model.mesh(face_model.mean_shape), texture, Pose(0, 0, 0), PIXELS, _BACKGROUND)
    return Photo(pixels, "mean face", "")
