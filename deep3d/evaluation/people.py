"""Consistency of identity: distances between the shapes from photos of one person, and of different people.

A folder holds a folder of photos for each person. Neutral shapes are aligned by a similarity transform
and compared within 95 mm of the tip of the nose. `strangers` measures how well people are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import DatasetError, Deep3DError
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedMesh, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.published.cropped_scans import CROP, NOSE_TIP
from deep3d.evaluation.scan_error.registration import Similarity
from deep3d.evaluation.strangers import told_apart
from deep3d.photo import find_photos

COLUMNS = (("within", "mean"), ("within", "p90"), ("between", "mean"))


@dataclass(frozen=True)
class People:
    """N photos of a few people."""

    photos: tuple[Path, ...]  # N
    names: tuple[str, ...]  # N, the person in each


def people_benchmark(folder: Path) -> Benchmark:
    """Distance of each photo's shape from the mean of the person's other photos, and from the nearest other person.

    Raises: DatasetError.
    """
    people = read_people(folder)
    names = np.array(people.names)

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement:
        meshes: dict[int, PredictedMesh] = {}
        for row, mesh in enumerate(predictor.predict_meshes(people.photos)):
            if mesh is not None:
                meshes[row] = mesh.neutral
            if progress is not None:
                progress(row + 1, len(people.photos))
        errors = _errors(_faces(meshes), names)
        known = np.isfinite(errors["within"] + errors["between"])
        nearest = (errors["within"] < errors["between"])[known]
        figures = {"nearest to their own person, %": 100 * float(nearest.mean())} if known.any() else {}
        if isinstance(predictor, ReconstructorPredictor):
            figures |= told_apart([*predictor.reconstructions(people.photos)], names)
        return Measurement(
            people.photos, errors, {"person": {name: names == name for name in dict.fromkeys(people.names)}}, figures
        )

    caption = "People: distance of shapes in millimetres, within photos of one person and to the nearest other person."
    return Benchmark("people", caption, COLUMNS, measure)


def read_people(folder: Path) -> People:
    """Read the names of at least two people with at least two photos each.

    Raises: DatasetError.
    """
    rows: list[tuple[Path, str]] = []
    for person in sorted(path for path in folder.glob("*") if path.is_dir()):
        try:
            photos = find_photos([person])
        except Deep3DError as error:
            raise DatasetError(f"{person}: no photos of this person; add some, or remove the folder") from error
        if len(photos) < 2:
            raise DatasetError(f"{person}: only one photo of this person; add another, or remove the folder")
        rows += [(photo, person.name) for photo in photos]
    if len({name for _, name in rows}) < 2:
        raise DatasetError(f"{folder}: fewer than two people in it; give a folder with a folder for each person")
    photos, names = zip(*rows)
    return People(photos, names)


def face_distance(mesh: PredictedMesh, truth: PredictedMesh) -> float:
    """Mean distance in millimetres of two faces with the same vertices, after a similarity alignment."""
    truth_face, face = _faces({0: truth, 1: mesh}).values()
    return shape_distance(face, truth_face)


def shape_distance(shape: np.ndarray, reference: np.ndarray) -> float:
    """Mean distance of corresponding points (N, 3) after a similarity alignment."""
    return float(np.linalg.norm(Similarity.fit(shape, reference)(shape) - reference, axis=1).mean())


def _faces(meshes: dict[int, PredictedMesh]) -> dict[int, np.ndarray]:
    """By number of the photo, the vertices of the face: those near the tip of the nose in the first mesh, for all."""
    if not meshes:
        return {}
    first = next(iter(meshes.values()))
    near = np.linalg.norm(first.vertices_mm - first.vertices_mm[first.landmark_vertices[NOSE_TIP]], axis=1) <= CROP
    return {row: mesh.vertices_mm[near].astype(np.float64) for row, mesh in meshes.items()}


def _errors(faces: dict[int, np.ndarray], names: np.ndarray) -> dict[str, np.ndarray]:
    """Distance of each photo's face from the mean of its person's others, and from the nearest mean of another person.

    NaN where no face was found, or in no other photo.
    """
    errors = {name: np.full(len(names), np.nan) for name in ("within", "between")}
    for row, face in faces.items():
        others = {name: [faces[k] for k in faces if k != row and names[k] == name] for name in set(names)}
        distance = {name: shape_distance(face, np.mean(some, axis=0)) for name, some in others.items() if some}
        errors["within"][row] = distance.pop(names[row], np.nan)
        errors["between"][row] = min(distance.values(), default=np.nan)
    return errors
