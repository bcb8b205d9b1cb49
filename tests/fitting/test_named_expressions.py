from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deep3d.camera import Camera, clip_space, depth, place, project
from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting.gaze import UNSEEN, Gaze, read_gazes
from deep3d.fitting.named_expressions import OPPOSITES, ExpressionResponse, expression_weights, solve_weights
from deep3d.network.checkpoints import read_checkpoint
from deep3d.rendering.cpu import CpuRasterizer

NEAR = Camera(focal_length_px=1300.0, column=111.5, row=111.5, distance=10.0)


def face(model: FaceModel, **weights: float) -> FaceCoefficients:
    coefficients = FaceCoefficients.from_vector(np.zeros((1, COEFFICIENT_COUNT), np.float32))
    for name, weight in weights.items():
        coefficients.expression[0, model.expression_names.index(name)] = weight
    return coefficients


def drawn(model: FaceModel, coefficients: FaceCoefficients) -> np.ndarray:
    """A face in its crop (224, 224, 3)."""
    vertices = place(model.shape(coefficients), coefficients.rotation, coefficients.translation)
    clip = clip_space(project(vertices, NEAR), depth(vertices, NEAR), (224, 224)).astype(np.float32)
    rasterizer = CpuRasterizer()
    fragments = rasterizer.rasterize(clip, model.triangles, (224, 224))
    colours = np.clip(model.mean_albedo * 255, 0, 255).astype(np.float32)
    return rasterizer.interpolate(colours[None], fragments, model.triangles)[0].astype(np.uint8)


@pytest.mark.parametrize(
    ("turned", "across", "upward"),
    [({}, 0, 0), ({"eyeLookOut_L": 1.0, "eyeLookIn_R": 1.0}, 1, 0), ({"eyeLookUp_L": 1.0, "eyeLookUp_R": 1.0}, 0, 1)],
)
def test_irises_tell_the_gaze(model, turned, across, upward):
    crop = drawn(model, face(model, **turned))
    for gaze in read_gazes(crop, face(model), NEAR, model):  # of a fit that knows nothing of it
        assert (
            gaze.seen
            and gaze.across == pytest.approx(across, abs=0.4)
            and gaze.upward == pytest.approx(upward, abs=0.4)
        )


def test_a_closed_eye_has_no_gaze(model):
    shut = face(model, eyeBlink_L=1.0)
    right, left = read_gazes(drawn(model, shut), shut, NEAR, model)
    assert right.seen and right.clear > 0.25 and not left.seen and left.clear < 0.2


@pytest.mark.parametrize("name", ["jawOpen", "mouthFrown_L", "browDown_R", "mouthPucker"])
def test_a_shrunk_and_spread_answer_is_read_back(model, name):
    names = model.expression_names
    full = np.eye(64, 53) * 0.3  # a third of each expression, and a third of that in the next
    full += np.roll(full, 1, axis=0) / 3
    response = ExpressionResponse(np.full(64, 0.05), full, np.eye(64) / 0.03**2)
    place_of = {each: place for place, each in enumerate(names[:53])}
    weights = solve_weights(0.05 + full[:, place_of[name]], response, (UNSEEN, UNSEEN), place_of)
    assert weights[place_of[name]] > 0.9 and np.argmax(weights) == place_of[name] and np.sort(weights)[-2] < 0.1


def test_opposites_are_never_on_together(model):
    names = model.expression_names
    place_of = {each: place for place, each in enumerate(names[:53])}
    response = ExpressionResponse(np.zeros(64), np.eye(64, 53), np.eye(64) / 0.05**2)
    rng = np.random.default_rng(0)
    for _ in range(10):
        gazes = Gaze(rng.uniform(-1, 1), rng.uniform(-1, 1), True), Gaze(rng.uniform(-1, 1), rng.uniform(-1, 1), True)
        weights = solve_weights(rng.uniform(-0.3, 1, 64), response, gazes, place_of)
        assert (weights >= 0).all() and (weights <= 1).all()
        assert all(min(weights[place_of[one]], weights[place_of[other]]) == 0 for one, other in OPPOSITES)


@pytest.mark.parametrize(
    ("coefficient", "clear", "shut"),
    [(0.6, 0.1, 1), (0.42, 0.05, 1), (0.35, 0.07, 1), (0.3, 0.3, 0), (0.45, 0.5, 0), (0.43, 0.27, 0)],
)
def test_an_eye_is_shut_or_open(model, coefficient, clear, shut):
    """Narrow eyes of which an iris is seen are open; a shut one neither squints nor is wide."""
    place_of = {each: place for place, each in enumerate(model.expression_names[:53])}
    response = ExpressionResponse(np.zeros(64), np.eye(64, 53) * 0.5, np.eye(64) / 0.05**2)
    expression = np.zeros(64)
    expression[[place_of["eyeBlink_L"], place_of["eyeSquint_L"]]] = coefficient
    weights = solve_weights(expression, response, (Gaze(0, 0, True, 0.4), Gaze(0, 0, False, clear)), place_of)
    assert weights[place_of["eyeBlink_L"]] == shut and weights[place_of["eyeBlink_R"]] == 0
    assert (weights[place_of["eyeSquint_L"]] > 0) == (not shut)


def test_what_explains_little_is_left_out(model):
    """A face at rest whose coefficients scatter has next to no expression."""
    place_of = {each: place for place, each in enumerate(model.expression_names[:53])}
    response = ExpressionResponse(np.zeros(64), np.eye(64, 53) * 0.4, np.eye(64) / 0.05**2)
    rng = np.random.default_rng(0)
    counts = [
        (solve_weights(rng.normal(0, 0.08, 64), response, (UNSEEN, UNSEEN), place_of) > 0).sum() for _ in range(20)
    ]
    assert np.mean(counts) < 6


def test_the_shipped_checkpoint_has_a_measured_response(model):
    assert ExpressionResponse.of(model, read_checkpoint().sha256) is not None
    assert ExpressionResponse.of(model, "of another") is None


def test_coefficients_of_another_checkpoint_are_taken_at_their_word(model):
    given = face(model, mouthLeft=0.3, mouthRight=0.2, jawOpen=0.5)
    crop = SimpleNamespace(image=drawn(model, given))
    of: Any = SimpleNamespace(
        face_model=model, coefficients=given, crop=crop, camera=NEAR, checkpoint_sha256="of another"
    )
    weights = dict(zip(model.expression_names, expression_weights(of)))
    assert weights["jawOpen"] == pytest.approx(0.5) and weights["mouthLeft"] == pytest.approx(0.3)
    assert weights["mouthRight"] == 0


@pytest.mark.parametrize("name", ["browDown", "browOuterUp", "mouthSmile"])
def test_both_halves_are_alike_unless_the_answer_clearly_says_otherwise(model, name):
    response = ExpressionResponse.of(model, read_checkpoint().sha256)
    assert response is not None
    place_of = {each: place for place, each in enumerate(model.expression_names[:53])}
    halves = [place_of[f"{name}_L"], place_of[f"{name}_R"]]
    left, right = response.full[:, halves].T
    apart = (left - right) / np.sqrt((left - right) @ response.precision @ (left - right))  # as noise, one sigma
    for noise in (-apart, apart):
        weights = solve_weights(response.rest + 0.9 * (left + right) + noise, response, (UNSEEN, UNSEEN), place_of)
        assert weights[halves[0]] == weights[halves[1]] > 0.6
    one_sided = solve_weights(response.rest + left, response, (UNSEEN, UNSEEN), place_of)
    assert one_sided[halves[0]] > 0.6 and one_sided[halves[1]] == 0


def test_weights_come_in_by_and_by(model):
    """Given a frown that grows steadily, as in a video, its weight never jumps."""
    place_of = {each: place for place, each in enumerate(model.expression_names[:53])}
    frown = place_of["mouthFrown_L"]
    response = ExpressionResponse(np.zeros(64), np.eye(64, 53) * 0.4, np.eye(64) / 0.1**2)
    expression = np.zeros(64)
    weights = []
    for expression[frown] in np.linspace(0, 0.4, 101):
        weights.append(solve_weights(expression, response, (UNSEEN, UNSEEN), place_of)[frown])
    assert weights[0] == 0 and weights[-1] > 0.9 and np.abs(np.diff(weights)).max() < 0.25
