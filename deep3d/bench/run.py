"""All measurements on one photo, in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from deep3d.bench.figures import BenchReport, Section
from deep3d.bench.network import network_section
from deep3d.bench.peers import fit_section, load_eos, load_mediapipe
from deep3d.bench.photos import Pipeline, files_section, landmark_section, phone_photo
from deep3d.bench.processes import process_section
from deep3d.bench.tools import tools_section
from deep3d.camera import CROP_SIZE
from deep3d.errors import ExtraMissing, RuntimeUnavailable
from deep3d.evaluation.report import utc_now
from deep3d.network.checkpoints import Checkpoint, read_checkpoint
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime.plan import machine_facts

T = TypeVar("T")


@dataclass(frozen=True)
class Peers:
    """Where the files of other programs are; without theirs they are left out."""

    eos_share: Path | None = None  # the folder `share` of eos
    mediapipe_model: Path | None = None  # face_landmarker.task


def run_bench(photo: Path, rounds: int, advance: Callable[[str], None], peers: Peers = Peers()) -> BenchReport:
    """Measure everything on one photo; `advance` is told the name of each part before it starts.

    Raises: Deep3DError if the photo gives no face, or a file of the project or of a peer is missing or damaged.
    """
    reconstructor = Reconstructor.load()
    face = reconstructor(photo)  # a photo that cannot be used is told before anything is measured
    content = photo.read_bytes()
    eos, no_eos = _present(lambda: load_eos(peers.eos_share))
    mediapipe, no_mediapipe = _present(lambda: load_mediapipe(peers.mediapipe_model))
    plain, no_plain = _present(lambda: plain_pipelines(reconstructor))
    pipelines = {**(plain or {}), **({"MediaPipe, 478 landmarks alone": mediapipe} if mediapipe else {})}
    base, skipped = next(iter(plain or {}), None), no_plain + no_mediapipe
    sections = []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        advance("photo to landmarks")
        sections.append(landmark_section(reconstructor, content, pipelines, base, skipped, rounds))
        advance("photo of 12 megapixels to landmarks")
        few = max(1, rounds // 3)
        sections.append(landmark_section(reconstructor, phone_photo(content), pipelines, base, skipped, few))
        advance("files")
        sections.append(files_section(reconstructor, content, out, rounds))
        advance("network")
        sections.append(network_section(_weights(reconstructor), 2 * rounds))
        advance("fit")
        sections.append(fit_section(face, eos, no_eos, rounds))
        advance("processes")
        sections.append(process_section(photo, out, few))
        advance("tools")
        sections.append(tools_section(reconstructor.face_model, 2 * rounds))
        advance("graphics card")
        sections.append(_card(reconstructor, rounds))
    return BenchReport(tuple(sections), machine_facts(reconstructor.checkpoint), utc_now())


def _card(reconstructor: Reconstructor, rounds: int) -> Section:
    """What a graphics card does, if there is one and torch to use it."""
    try:
        from deep3d.bench.card import card_section

        return card_section(_weights(reconstructor), reconstructor.face_model, rounds)
    except (ImportError, RuntimeUnavailable) as error:
        return Section("Graphics card", (), skipped=(f"faces and heads each second ({error})",))


def plain_pipelines(reconstructor: Reconstructor) -> dict[str, Pipeline]:
    """The reference's way by name: with the input that the checkpoint was trained for, and with the reference's.

    Raises: ExtraMissing without torch or facenet-pytorch.
    """
    try:
        from deep3d.bench.plain import PlainPipeline
    except ImportError as error:
        raise ExtraMissing(f"the plain pipeline needs the extras torch and train ({error})") from error
    weights = _weights(reconstructor)
    return {
        f"plain eager fp32, {size} px input": PlainPipeline(weights, reconstructor.face_model, size)
        for size in dict.fromkeys([weights.info.crop_size, CROP_SIZE])
    }


def _weights(reconstructor: Reconstructor) -> Checkpoint:
    """The checkpoint with its weights, which a reconstructor does not keep."""
    return read_checkpoint(reconstructor.checkpoint.path)


def _present(load: Callable[[], T]) -> tuple[T | None, tuple[str, ...]]:
    """What could be loaded, or else why it is not there."""
    try:
        return load(), ()
    except ExtraMissing as error:
        return None, (str(error),)
