"""All measurements on one photo, in one run."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from deep3d.bench.figures import BenchReport, Section
from deep3d.bench.network import network_section
from deep3d.bench.peers import fit_section, load_eos, load_mediapipe, mediapipe_beside, tddfa_beside
from deep3d.bench.photos import Pipeline, files_section, landmark_section, phone_photo
from deep3d.bench.processes import process_section
from deep3d.bench.tools import tools_section
from deep3d.bench.videos import drawing_section, quality_section, video_section
from deep3d.camera import CROP_SIZE
from deep3d.errors import ExtraMissing, RuntimeUnavailable
from deep3d.evaluation.report import utc_now
from deep3d.network.checkpoints import Checkpoint, read_checkpoint
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime.plan import machine_facts

T = TypeVar("T")

PARTS = ("photo", "large photo", "qualities", "drawing", "videos", "files", "network", "fit", "processes", "tools")
PARTS += ("gpu",)
"""What is measured, in this order."""
MEDIAPIPE = "MediaPipe, landmarks alone"
TDDFA = "3DDFA_V2, mb05_120x120, ONNX Runtime"


@dataclass(frozen=True)
class Peers:
    """Where the files of other programs are; without theirs they are left out."""

    eos_share: Path | None = None  # the folder `share` of eos
    mediapipe_model: Path | None = None  # face_landmarker.task
    mediapipe_python: Path | None = None  # of an environment that has MediaPipe, where this one does not
    tddfa: Path | None = None  # the folder of 3DDFA_V2
    tddfa_python: Path | None = None  # of an environment that runs it, where this one does not


def run_bench(
    photo: Path,
    rounds: int,
    advance: Callable[[str], None],
    peers: Peers = Peers(),
    only: Collection[str] = PARTS,
) -> BenchReport:
    """Measure everything on one photo, or `only` some of PARTS; `advance` gets the name of each before it starts.

    Raises: Deep3DError if the photo gives no face, or a file of the project or of a peer is missing or damaged.
    """
    reconstructor = Reconstructor.load()
    face = reconstructor(photo)  # an unusable photo fails before anything is measured
    content = photo.read_bytes()
    eos, no_eos = _present(lambda: load_eos(peers.eos_share))
    plain, no_plain = _present(lambda: plain_pipelines(reconstructor))
    base, few = next(iter(plain or {}), None), max(1, rounds // 3)
    with ExitStack() as stack:
        out = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mediapipe, no_mediapipe = _present(lambda: _mediapipe(peers, stack))
        tddfa, no_tddfa = _present(lambda: _tddfa(peers, stack))
        found = {name: peer for name, peer in ((MEDIAPIPE, mediapipe), (TDDFA, tddfa)) if peer is not None}
        pipelines, skipped = {**(plain or {}), **found}, no_plain + no_mediapipe + no_tddfa
        parts: dict[str, Callable[[], Section]] = {
            "photo": lambda: landmark_section(reconstructor, content, pipelines, base, skipped, rounds),
            "large photo": lambda: landmark_section(reconstructor, phone_photo(content), pipelines, base, skipped, few),
            "qualities": lambda: quality_section(content, found, next(iter(found), None), rounds),
            "drawing": lambda: drawing_section(reconstructor, rounds),
            "videos": lambda: video_section(reconstructor, out, max(1, rounds // 4)),
            "files": lambda: files_section(reconstructor, Reconstructor.load(hair="shell"), content, out, rounds),
            "network": lambda: network_section(_weights(reconstructor), 2 * rounds),
            "fit": lambda: fit_section(face, eos, no_eos, rounds),
            "processes": lambda: process_section(photo, out, few),
            "tools": lambda: tools_section(reconstructor.face_model, 2 * rounds),
            "gpu": lambda: _gpu(reconstructor, rounds),
        }
        sections = [_measured(name, parts[name], advance) for name in PARTS if name in only]
    return BenchReport(tuple(sections), machine_facts(reconstructor.checkpoint), utc_now())


def _mediapipe(peers: Peers, stack: ExitStack) -> Pipeline:
    """Raises: as `load_mediapipe` and `mediapipe_beside`."""
    if peers.mediapipe_python is not None:
        return stack.enter_context(mediapipe_beside(peers.mediapipe_python))
    return load_mediapipe(peers.mediapipe_model)


def _tddfa(peers: Peers, stack: ExitStack) -> Pipeline:
    """Raises: ExtraMissing, as `tddfa_beside`."""
    if peers.tddfa is None:
        raise ExtraMissing("--tddfa names no folder with 3DDFA_V2")
    return stack.enter_context(tddfa_beside(peers.tddfa_python or Path(sys.executable), peers.tddfa))


def _measured(name: str, part: Callable[[], Section], advance: Callable[[str], None]) -> Section:
    """A part's section, announced before it starts."""
    advance(name)
    return part()


def _gpu(reconstructor: Reconstructor, rounds: int) -> Section:
    """The throughput of the GPU, if torch finds one."""
    try:
        from deep3d.bench.gpu import gpu_section

        return gpu_section(_weights(reconstructor), reconstructor.face_model, rounds)
    except (ImportError, RuntimeUnavailable) as error:
        return Section("GPU", (), skipped=(f"faces and heads per second ({error})",))


def plain_pipelines(reconstructor: Reconstructor) -> dict[str, Pipeline]:
    """The reference's pipelines by name: with the checkpoint's input size, and with the reference's.

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
    """What could be loaded, or the reason why not."""
    try:
        return load(), ()
    except ExtraMissing as error:
        return None, (str(error),)
