"""Unseen heads of the project's own generator: landmarks at every yaw, and several photos per person.

The generator renders aligned crops, not photos of scenes. They are measured like photos, so detector and alignment take
part.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.camera import Pose
from deep3d.coefficients import FaceCoefficients
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedMesh, Progress
from deep3d.evaluation.people import face_distance
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.published.aflw2000 import TurnedFaces, turned_faces_benchmark
from deep3d.evaluation.strangers import told_apart
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES
from deep3d.synthetic.heads import HeadGenerator, Heads

SEED = 990_000_001  # of heads to measure on: training runs count their seeds from 0
BATCH = 16
PHOTOS_OF_ONE = 8  # of each synthetic person
COUNTS = (1, 2, 4, 8)  # of photos that a person's shape is estimated from


def synthetic_benchmark(model: FaceModel, count: int, folder: Path) -> Benchmark:
    """Landmark error by true yaw on `count` heads, rendered into the folder."""
    corners = model.triangles[model.landmark_triangles].ravel()  # a landmark is the weighted mean of three vertices
    generator = HeadGenerator(model, SEED, corners)
    photos: list[Path] = []
    landmarks, yaw = np.empty((count, 68, 2)), np.empty(count)
    for start in range(0, count, BATCH):
        heads = generator.draw(min(BATCH, count - start))
        rows = slice(start, start + len(heads.crops))
        seen = heads.points.reshape(-1, 68, 3, 2)
        landmarks[rows] = (seen * model.landmark_weights[..., None]).sum(axis=2)
        rotation = FaceCoefficients.from_vector(heads.vectors).rotation
        yaw[rows] = [Pose.from_rotation(angles).yaw for angles in rotation]
        photos += _write(heads, folder, start)
    return turned_faces_benchmark(
        "synthetic", "Synthetic heads", TurnedFaces(tuple(photos), landmarks, yaw), "mediapipe"
    )


def same_person_benchmark(model: FaceModel, count: int, folder: Path) -> Benchmark:
    """Error of the neutral shape of `count` people, each from 1, 2, 4 and 8 photos rendered into the folder."""
    generator = HeadGenerator(model, SEED + 1)
    people = [_draw_person(generator, model, folder / f"person_{number:03d}") for number in range(count)]
    sets = [
        (photos[start : start + size], truth, size)
        for photos, truth in people
        for size in COUNTS
        for start in range(0, PHOTOS_OF_ONE, size)
    ]
    sizes = np.array([size for *_, size in sets])

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        errors = np.full(len(sets), np.nan)
        for row, (photos, truth, _) in enumerate(sets):
            mesh = predictor.predict_person(photos)
            if mesh is not None:
                errors[row] = face_distance(mesh.neutral, truth)
            if progress is not None:
                progress(row + 1, len(sets))
        groups = {"photos of a person": {str(size): sizes == size for size in COUNTS}}
        figures = _told_apart(predictor, [photos for photos, _ in people])
        return Measurement(tuple(photos[0] for photos, *_ in sets), {"shape": errors}, groups, figures)

    caption = "Synthetic people: error of the neutral shape in millimetres, after a similarity alignment."
    return Benchmark("same_person", caption, (("shape", "mean"), ("shape", "p90")), measure)


def _told_apart(predictor: FacePredictor, people: list[list[Path]]) -> dict[str, float]:
    """How well these people, each in several photos, are told apart."""
    if not isinstance(predictor, ReconstructorPredictor):
        return {}
    photos = [photo for some in people for photo in some]
    names = np.repeat(np.arange(len(people)), [len(some) for some in people])
    return told_apart([*predictor.reconstructions(photos)], names)


def _draw_person(generator: HeadGenerator, model: FaceModel, folder: Path) -> tuple[list[Path], PredictedMesh]:
    """Photos of one person, and the true neutral shape."""
    heads = generator.draw_person(PHOTOS_OF_ONE)
    identity = FaceCoefficients.from_vector(heads.vectors).identity[:1]
    truth = MILLIMETRES * model.neutral_shape(identity)[0]
    return _write(heads, folder, 0), PredictedMesh(truth, model.triangles, model.landmark_vertices, truth)


def _write(heads: Heads, folder: Path, start: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"head_{number:04d}.png" for number in range(start, start + len(heads.crops))]
    for path, crop in zip(paths, heads.crops):
        Image.fromarray(crop).save(path)
    return paths
