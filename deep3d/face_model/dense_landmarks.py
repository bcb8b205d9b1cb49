"""Which vertices of the face model become dense landmarks: the 68, both irises, and an even cover of the face."""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.landmarks import EYES, LIPS, NOSE

DETAIL = 1.7  # how much closer the points lie on eyelids, nose and lips than on cheeks
DETAIL_REACH = 0.18  # decimetres round one of these landmarks that count as detail


def choose_dense_landmarks(model: FaceModel, count: int) -> tuple[int, ...]:
    """Vertex numbers of `count` >= 70 dense landmarks; the first 68 are those of the 68 landmarks.

    After the irises, each next one is the vertex of the face that is farthest from all chosen ones (Eldar et al.,
    1997); distances on eyelids, nose and lips count more.
    """
    mean = model.mean_shape
    landmarks = model.landmark_vertices
    points = mean[landmarks]
    chosen = [int(v) for v in landmarks] + irises(model)
    detail = np.concatenate([points[EYES], points[NOSE], points[LIPS]])
    near = np.linalg.norm(mean[:, None] - detail[None], axis=-1).min(axis=1) < DETAIL_REACH
    weight = np.where(near, DETAIL, 1.0)
    candidates = face_region(model) & (model.skin > 0.3)
    distance = np.where(candidates, np.inf, -np.inf)
    for vertex in chosen:
        distance = np.minimum(distance, np.linalg.norm(mean - mean[vertex], axis=1) * weight)
    while len(chosen) < count:
        vertex = int(np.argmax(distance))
        chosen.append(vertex)
        distance = np.minimum(distance, np.linalg.norm(mean - mean[vertex], axis=1) * weight)
    return tuple(chosen)


def face_region(model: FaceModel) -> np.ndarray:
    """(V,) bool, whether a vertex is in front of the ears and above the throat."""
    mean = model.mean_shape
    points = model.landmarks(mean[None])[0]
    return (mean[:, 2] > points[[0, 16], 2].mean() - 0.1) & (mean[:, 1] > points[8, 1] - 0.15)


def irises(model: FaceModel) -> list[int]:
    """The foremost vertex of each eyeball, the one on the image left first."""
    mean = model.mean_shape
    points = mean[model.landmark_vertices]
    rows = []
    for corners in (points[[36, 39]], points[[42, 45]]):
        centre, width = corners.mean(axis=0), np.ptp(corners[:, 0])
        ball = (model.skin < 0.1) & (np.linalg.norm(mean[:, :2] - centre[:2], axis=1) < width)
        rows.append(int(np.argmax(np.where(ball, mean[:, 2], -np.inf))))
    return rows
