"""Heads drawn with one named expression at full strength are read back: through detector, networks and fit."""

import numpy as np
import pytest

from deep3d import Reconstructor
from deep3d.camera import Camera, Pose, clip_space, depth, place, project
from deep3d.face_model import FaceModel, default_face_model
from deep3d.fitting.named_expressions import OPPOSITES, expression_weights
from deep3d.photo import Photo
from deep3d.rendering.cpu import CpuRasterizer

PIXELS = 512
SINGLE = ("eyeBlink", "browDown", "browOuterUp", "mouthSmile", "mouthFrown")
BOTH = ("browInnerUp", *SINGLE)
DRAWN = [
    *[(f"{name}_{side}",) for name in SINGLE for side in "LR"],
    *[(f"{name}_L", f"{name}_R") for name in BOTH],
    *[("eyeLookUp_L", "eyeLookUp_R"), ("eyeLookIn_L", "eyeLookOut_R"), ("eyeLookOut_L", "eyeLookIn_R")],
    *[("jawOpen",), ("mouthPucker",)],
]


def drawn_head(model: FaceModel, expressions: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """A photo (512, 512, 3) of somebody before a plain wall."""
    weights = np.zeros((1, 64), np.float32)
    weights[0, [model.expression_names.index(name) for name in expressions]] = 1
    identity = 0.8 * rng.standard_normal((1, 80)).astype(np.float32)
    albedo = model.albedo(rng.standard_normal((1, 80)).clip(-2, 2).astype(np.float32))[0]
    hair = (model.skin < 0.1) & (model.mean_shape[:, 1] > 0.45)
    albedo = np.where(hair[:, None], rng.uniform(0.03, 0.3), albedo)
    pose = Pose(yaw=rng.uniform(-15, 15), pitch=rng.uniform(-8, 8), roll=rng.uniform(-5, 5))
    shape = (model.neutral_shape(identity) + model.expression_offsets(weights)).astype(np.float32)
    placed = place(shape, pose.to_rotation()[None].astype(np.float32), np.zeros((1, 3), np.float32))
    lamp = np.array([rng.uniform(-0.5, 0.5), 0.5, 0.75])
    lit = 0.45 + 0.6 * np.clip(model.normals(placed)[0] @ lamp / np.linalg.norm(lamp), 0, 1)
    camera = Camera(focal_length_px=1500.0, column=PIXELS / 2, row=PIXELS / 2)
    clip = clip_space(project(placed, camera), depth(placed, camera), (PIXELS, PIXELS)).astype(np.float32)
    rasterizer = CpuRasterizer()
    fragments = rasterizer.rasterize(clip, model.triangles, (PIXELS, PIXELS))
    colours = np.clip(albedo * lit[:, None] * 290, 0, 255).astype(np.float32)
    head = rasterizer.interpolate(colours[None], fragments, model.triangles)[0]
    return np.where(fragments.triangle[0][..., None] >= 0, head, rng.uniform(40, 220, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def weights_of() -> dict[tuple[str, ...], dict[str, float]]:
    """The weights that each drawn head gets, by name."""
    model, rng = default_face_model(), np.random.default_rng(1)
    photos = [Photo(drawn_head(model, expressions, rng), "drawn", "") for expressions in DRAWN]
    reconstructor = Reconstructor.load()
    found = [
        faces[0] for start in range(0, len(photos), 8) for faces in reconstructor.reconstruct(photos[start : start + 8])
    ]
    return {
        expressions: dict(zip(model.expression_names, expression_weights(face).tolist(), strict=True))
        for expressions, face in zip(DRAWN, found, strict=True)
    }


@pytest.mark.parametrize("expressions", DRAWN, ids="+".join)
def test_the_weights_of_what_was_drawn_are_the_largest(weights_of, expressions):
    weights = weights_of[expressions]
    least = min(weights[name] for name in expressions)
    assert least >= 0.6
    assert least >= max(weight for name, weight in weights.items() if name not in expressions)
    assert all(min(weights[one], weights[other]) == 0 for one, other in OPPOSITES)


def test_eyes_are_shut_or_open(weights_of):
    for expressions, weights in weights_of.items():
        for name in ("eyeBlink_L", "eyeBlink_R"):
            assert weights[name] >= 0.8 if name in expressions else weights[name] <= 0.15
