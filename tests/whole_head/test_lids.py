"""Eyeballs stay behind shut lids, whoever the person is."""

import numpy as np
import pytest

from deep3d.camera import Camera, clip_space, depth, place, project
from deep3d.export.gltf.morph_targets import morph_targets
from deep3d.face_model import FaceModel, default_face_model
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.whole_head.lids import behind_lids
from deep3d.whole_head.rig import LEFT_EYE, RIGHT_EYE, eyeball

PEOPLE, PIXELS = 12, 512


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return default_face_model()


def eye_pixels(model: FaceModel, vertices: np.ndarray) -> int:
    """Pixels of the eyeballs that are seen from the front."""
    eye = np.zeros(len(vertices), bool)
    for side in (LEFT_EYE, RIGHT_EYE):
        eye[eyeball(model, side)[1]] = True
    camera = Camera(focal_length_px=3000.0, column=PIXELS / 2, row=PIXELS / 2)
    placed = place(vertices[None].astype(np.float32), np.eye(3, dtype=np.float32)[None], np.zeros((1, 3), np.float32))
    clip = clip_space(project(placed, camera), depth(placed, camera), (PIXELS, PIXELS)).astype(np.float32)
    seen = CpuRasterizer().rasterize(clip, model.triangles, (PIXELS, PIXELS)).triangle[0]
    return int(eye[model.triangles[seen[seen >= 0]]].all(axis=1).sum())


def test_no_eyeball_comes_through_shut_lids(model):
    """The lids of these leave a slit, which narrower eyes, as fitted ones are, do not."""
    number = {target.name: target for target in model.derived(morph_targets)}
    own, drawn_back = np.zeros_like(model.mean_shape), np.zeros_like(model.mean_shape)
    for side in ("Left", "Right"):
        target = number[f"eyeBlink{side}"]
        kept = target.vertices < len(own)
        drawn_back[target.vertices[kept]] += target.offsets[kept]
        own += model.expression_basis.reshape(64, -1, 3)[model.expression_names.index(f"eyeBlink_{side[0]}")]
    rng, seen = np.random.default_rng(5), []
    for identity in 0.8 * rng.standard_normal((PEOPLE, 1, 80)).astype(np.float32):
        neutral = model.neutral_shape(identity)[0]
        opened = eye_pixels(model, neutral)
        assert opened > 100
        seen.append([eye_pixels(model, neutral + blink) / opened for blink in (own, drawn_back)])
    before, now = np.array(seen).T
    assert before.max() > 0.2 and now.max() < 0.05


def test_only_the_eye_that_shuts_draws_back(model):
    still = np.zeros_like(model.mean_shape)
    left = behind_lids(model, "eyeBlink_L", still)
    moved = np.flatnonzero(left.any(axis=1))
    assert np.array_equal(moved, np.sort(eyeball(model, LEFT_EYE)[1])) and not still.any()
    assert behind_lids(model, "eyeWide_L", still) is still
