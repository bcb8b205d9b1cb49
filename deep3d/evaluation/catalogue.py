"""All benchmarks, from names of folders and numbers of synthetic pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deep3d.datasets.frozen import Half, read_heads, read_portraits
from deep3d.evaluation.depth import depth_benchmark
from deep3d.evaluation.labelled import labelled_benchmark
from deep3d.evaluation.landmarks import head_landmark_benchmark, portrait_benchmark
from deep3d.evaluation.measurement import Benchmark
from deep3d.evaluation.people import people_benchmark
from deep3d.evaluation.published.aflw2000 import aflw2000_benchmark
from deep3d.evaluation.published.cropped_scans import bu3dfe_benchmark, florence_benchmark
from deep3d.evaluation.published.now import now_benchmark
from deep3d.evaluation.published.realy import realy_benchmark
from deep3d.evaluation.robustness.confidence import confidence_benchmark
from deep3d.evaluation.robustness.drawn_expressions import expression_benchmark
from deep3d.evaluation.robustness.faceless import faceless_benchmark
from deep3d.evaluation.robustness.turned import turned_benchmark
from deep3d.evaluation.robustness.uncertainty import uncertainty_benchmark
from deep3d.evaluation.scan_error.scans import head_benchmark
from deep3d.evaluation.synthetic import same_person_benchmark, synthetic_benchmark
from deep3d.face_model import read_face_model


def head_benchmarks(folder: Path) -> tuple[Benchmark, Benchmark]:
    """Shape and landmarks of the frozen heads.

    Raises: DatasetError.
    """
    dataset = read_heads(folder)
    return head_benchmark(dataset), head_landmark_benchmark(dataset)


FOLDER_BENCHMARKS: dict[str, Callable[[Path], tuple[Benchmark, ...]]] = {
    "heads": head_benchmarks,
    "aflw2000": lambda folder: (aflw2000_benchmark(folder),),
    "now": lambda folder: (now_benchmark(folder),),
    "florence": lambda folder: (florence_benchmark(folder),),
    "bu3dfe": lambda folder: (bu3dfe_benchmark(folder),),
    "realy": lambda folder: (realy_benchmark(folder),),
    "labelled": lambda folder: (labelled_benchmark(folder),),
    "people": lambda folder: (people_benchmark(folder),),
}
"""What to measure on a folder in the published layout of the data set. Each raises DatasetError."""


def portrait_benchmarks(folder: Path, half: Half, confidence: bool, turned: bool) -> list[Benchmark]:
    """Landmarks on one half of the portraits, and optionally confidence and rotated photos.

    Raises: DatasetError.
    """
    dataset = read_portraits(folder, half)
    more = [confidence_benchmark(dataset)] if confidence else []
    return [portrait_benchmark(dataset, half), *more, *([turned_benchmark(dataset)] if turned else [])]


def faceless_benchmarks(count: int, given: Path | None, scratch: Path) -> list[Benchmark]:
    """Pictures without a face, drawn and from a folder; empty without either.

    Raises: PhotoMissing.
    """
    return [faceless_benchmark(count, given, scratch / "faceless")] if count or given else []


def synthetic_benchmarks(
    face_model: Path | None, heads: int, people: int, mapped: int, stated: int, expressions: int, scratch: Path
) -> list[Benchmark]:
    """Heads of a face model (None for the open one), drawn into a folder that must exist while they are measured.

    For landmarks, of people several times, with all that is known of their pixels, for stated uncertainty, and with one
    expression each.

    Raises: FaceModelError.
    """
    makers = (
        (heads, synthetic_benchmark),
        (people, same_person_benchmark),
        (mapped, depth_benchmark),
        (stated, uncertainty_benchmark),
        (expressions, expression_benchmark),
    )
    wanted = [(count, make) for count, make in makers if count]
    model = read_face_model(face_model) if wanted else None
    return [make(model, count, scratch / make.__name__) for count, make in wanted if model is not None]
