"""What the shipped open face model looks like: its eyes turn, and its mouth stays inside its lips."""

from __future__ import annotations

import numpy as np
import pytest

from deep3d.camera import clip_space
from deep3d.face_model import FaceModel
from deep3d.rendering.cpu import CpuRasterizer

PICTURE = 160  # pixels a side
WIDTH = 0.9  # decimetres that it shows, round the mouth
MOUTHS = {
    "pursed": {"mouthLeft": 0.35, "mouthRight": 0.35, "mouthPucker": 0.4, "mouthShrugLower": 0.3},
    "puckered": {"mouthPucker": 0.7, "mouthShrugLower": 0.7, "mouthShrugUpper": 0.5},
    "aside": {"mouthLeft": 1.0},
}


def offsets(model: FaceModel, weights: dict[str, float]) -> np.ndarray:
    """(V, 3) of named expressions."""
    expression = np.zeros((1, 64), np.float32)
    for name, weight in weights.items():
        expression[0, model.expression_names.index(name)] = weight
    return model.expression_offsets(expression)[0]


def eyeballs(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """The vertices (N,) of the person's left and right eyeball: no skin, round the middle of each eye."""
    points = model.landmarks(model.mean_shape[None])[0]
    found = []
    for corners in (slice(42, 48), slice(36, 42)):
        away = np.abs(model.mean_shape - points[corners].mean(axis=0))
        found.append(np.flatnonzero((model.skin < 0.1) & (away < [0.12, 0.1, 0.1]).all(axis=1)))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("gaze", "left", "right"),  # which way the front of each eye goes: x to the picture's right, y up
    [
        ("eyeLookUp", (0, 1), (0, 1)),
        ("eyeLookDown", (0, -1), (0, -1)),
        ("eyeLookOut", (1, 0), (-1, 0)),
        ("eyeLookIn", (-1, 0), (1, 0)),
    ],
)
def test_eyeballs_turn_with_the_gaze(model, gaze, left, right):
    for ball, other, side, way in zip(eyeballs(model), eyeballs(model)[::-1], "LR", (left, right)):
        moved = offsets(model, {f"{gaze}_{side}": 1.0})
        front = ball[np.argmax(model.mean_shape[ball, 2])]
        assert moved[front, :2] @ way > 0.045  # decimetres: more than 20 degrees of a ball of 12 mm
        assert np.abs(moved[other]).max() < 1e-4


@pytest.mark.parametrize("mouth", MOUTHS)
def test_the_pocket_behind_the_lips_stays_behind_them(model, mouth):
    rng = np.random.default_rng(0)
    people = rng.standard_normal((107, 80)).astype(np.float32)[::2]
    moved = offsets(model, MOUTHS[mouth])
    inner = (model.skin[model.triangles] < 0.1).any(axis=1)
    for person in people:
        vertices = model.neutral_shape(person[None])[0] + moved
        assert seen_from_behind(model, vertices, inner) == 0


def seen_from_behind(model: FaceModel, vertices: np.ndarray, inner: np.ndarray) -> int:
    """Pixels below the upper lip in which the camera before a face meets an `inner` triangle (T,) from behind."""
    lips = model.landmarks(vertices[None])[0, 48:68]
    middle = lips.mean(axis=0) - [0, 0.12, 0]
    scale = PICTURE / WIDTH
    pixels = (vertices[:, :2] - middle[:2]) * [scale, -scale] + PICTURE / 2
    clip = clip_space(pixels[None], 10 - vertices[None, :, 2], (PICTURE, PICTURE)).astype(np.float32)
    triangle = CpuRasterizer().rasterize(clip, model.triangles, (PICTURE, PICTURE)).triangle[0]
    a, b, c = (pixels[model.triangles[:, corner]] for corner in range(3))
    away = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) > 1e-6
    below = np.arange(PICTURE)[:, None] > PICTURE / 2 - (lips[:, 1].max() - middle[1]) * scale
    return int(((triangle >= 0) & (inner & away)[triangle] & below).sum())
