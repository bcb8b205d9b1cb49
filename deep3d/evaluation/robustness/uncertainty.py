"""The stated uncertainty of shape against the true error, on made-up heads that leave the linear model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.scan_error.registration import Similarity
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES
from deep3d.reconstruction import Reconstruction
from deep3d.synthetic.mapped_heads import MappedHeadGenerator
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.synthetic.people.region_shapes import RegionShapes
from deep3d.uncertainty import FACE, REGIONS, face_vertices, vertex_regions

SEED = 990_000_011  # of heads to measure on: training runs count their seeds from 0
BATCH = 8
COLUMNS = (("true", "mean"), ("stated", "mean"), ("true", "p90"))


def uncertainty_benchmark(model: FaceModel, count: int, folder: Path) -> Benchmark:
    """True and stated error of `count` heads, drawn into the folder, half of them smooth, half shaped by regions."""
    folder.mkdir(parents=True, exist_ok=True)
    photos, shapes = _drawn(model, count, folder)

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        if not isinstance(predictor, ReconstructorPredictor):
            return None
        true, stated = (np.full((count, len(REGIONS)), np.nan) for _ in range(2))
        for row, face in enumerate(predictor.reconstructions(photos)):
            if face is not None and face.region_deviation is not None:
                true[row], stated[row] = region_errors(face, shapes[row]), [*face.region_deviation.values()]
            if progress is not None:
                progress(row + 1, count)
        if np.isnan(stated).all():
            return None
        errors = {"true": _over_face(true), "stated": _over_face(stated)}
        return Measurement(photos, errors, {}, _figures(true, stated))

    caption = "Stated uncertainty of shape: millimetres, root mean square over the regions of the face."
    return Benchmark("uncertainty", caption, COLUMNS, measure)


def region_errors(face: Reconstruction, truth: np.ndarray) -> np.ndarray:
    """(R,) millimetres: the root mean square distance of each region's vertices from true ones (V, 3) decimetres."""
    model = face.face_model
    inside, region = face_vertices(model), vertex_regions(model)
    vertices = MILLIMETRES * face.vertices.astype(np.float64)
    truth = MILLIMETRES * truth.astype(np.float64)
    apart = Similarity.fit(vertices[inside], truth[inside])(vertices) - truth
    squares = (apart**2).sum(axis=1)
    return np.sqrt([squares[region == number].mean() for number in range(len(REGIONS))])


def _over_face(errors: np.ndarray) -> np.ndarray:
    """(B,) root mean squares over the regions of the face, of errors (B, R)."""
    return np.sqrt((errors[:, : len(FACE)] ** 2).mean(axis=1))


def _figures(true: np.ndarray, stated: np.ndarray) -> dict[str, float]:
    """Ratios of true to stated errors (B, R), and how well the stated ones rank the true ones."""
    known = np.isfinite(true).all(axis=1) & np.isfinite(stated).all(axis=1)
    true, stated = true[known], stated[known]
    ratios = np.sqrt((true**2).mean(axis=0) / (stated**2).mean(axis=0))
    figures = {f"{region}: true over stated": float(ratio) for region, ratio in zip(REGIONS, ratios, strict=True)}
    inside = slice(len(FACE))
    within = true[:, inside] / stated[:, inside]
    figures["rank correlation over faces and regions"] = _ranked(stated[:, inside].ravel(), true[:, inside].ravel())
    figures["rank correlation over faces"] = _ranked(_over_face(stated), _over_face(true))
    figures["regions within 1.5 times the stated error, %"] = 100 * float((within < 1.5).mean())
    return figures


def _ranked(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays (N,)."""
    return float(spearmanr(first, second)[0])  # pyright: ignore[reportArgumentType]


def _drawn(model: FaceModel, count: int, folder: Path) -> tuple[tuple[Path, ...], list[np.ndarray]]:
    """Photos of heads, and their true vertices (V, 3) in decimetres, expression included."""
    ways = [FreeShapes.of(model).draw, RegionShapes.of(model).draw]
    photos, shapes = [], []
    for way, (displace, share) in enumerate(zip(ways, (count - count // 2, count // 2), strict=True)):
        generator = MappedHeadGenerator(model, SEED + way, displace)
        for start in range(0, share, BATCH):
            shots = generator.draw_shots(min(BATCH, share - start))
            for crop, vertices in zip(shots.crops, shots.vertices, strict=True):
                photos.append(folder / f"head_{len(photos):04d}.png")
                shapes.append(vertices)
                Image.fromarray(crop).save(photos[-1])
    return tuple(photos), shapes
