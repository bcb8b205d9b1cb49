import numpy as np

from deep3d.face_model import default_face_model
from deep3d.fitting.gaze import UNSEEN
from deep3d.fitting.named_expressions import ExpressionResponse, solve_weights
from deep3d.synthetic.heads import HeadGenerator
from deep3d.training.expressions import random_weights, response_of, with_real_faces

GAZES = (UNSEEN, UNSEEN)


def test_the_response_is_that_of_the_heads():
    """Given heads that answer by a third of each expression, the file says so, on both sides of the face."""
    model = default_face_model()
    names = model.expression_names
    number = {name: place for place, name in enumerate(names[:53])}
    rng = np.random.default_rng(0)
    smile, frown = number["mouthSmile_L"], number["mouthFrown_R"]
    weights = np.zeros((60, 53))
    weights[:20, smile], weights[20:40, frown] = 1, 1
    answers = np.zeros((60, 64)) + 0.02 + rng.normal(0, 0.01, (60, 64))
    answers[:20, smile] += 0.33
    answers[20:40, frown] += 0.33
    arrays = response_of(weights, answers, names)
    np.testing.assert_allclose(arrays["rest"], 0.02, atol=0.01)
    for name in ("mouthSmile_L", "mouthSmile_R", "mouthFrown_L", "mouthFrown_R"):
        assert abs(arrays["full"][number[name], number[name]] - 0.33) < 0.05
    assert arrays["full"][number["jawOpen"], number["jawOpen"]] == 1  # not measured: taken at its word
    solved = solve_weights(answers[0], ExpressionResponse(**arrays), (UNSEEN, UNSEEN), number)
    assert np.argmax(solved) == smile and solved[smile] > 0.8


def test_how_real_faces_differ_is_no_expression():
    """Given real faces that all have narrower eyes than drawn ones, these are not taken for squinting."""
    names = default_face_model().expression_names
    number = {name: place for place, name in enumerate(names[:53])}
    rng = np.random.default_rng(0)
    covariance = 0.05**2 * np.eye(64)
    drawn = {"rest": np.zeros(64), "full": 0.4 * np.eye(64, 53), "precision": np.linalg.inv(covariance)}
    squint = [number["eyeSquint_L"], number["eyeSquint_R"]]
    real = rng.normal(0, 0.03, (100, 64))
    real[:, squint] += 0.25
    told = with_real_faces(drawn, real, names)
    before, after = (
        solve_weights(
            real[0], ExpressionResponse(*(arrays[name] for name in ("rest", "full", "precision"))), GAZES, number
        )
        for arrays in (drawn, told)
    )
    assert before[squint].min() > 0.5 and after[squint].max() == 0
    real[0, number["mouthFrown_L"]] = 0.4
    frowning = ExpressionResponse(*(told[name] for name in ("rest", "full", "precision")))
    assert solve_weights(real[0], frowning, GAZES, number)[number["mouthFrown_L"]] > 0.8


def test_heads_are_drawn_with_the_given_expressions():
    generator = HeadGenerator(default_face_model(), seed=3)
    expressions = np.zeros((3, 64), np.float32)
    expressions[1, 26] = 1
    expressions[2] = np.nan
    drawn = generator.draw_expressions(expressions).vectors[:, 80:144]
    np.testing.assert_array_equal(drawn[:2], expressions[:2])
    assert np.isfinite(drawn[2]).all()


def test_eyes_that_are_drawn_together_look_the_same_way():
    names = default_face_model().expression_names
    number = {name: place for place, name in enumerate(names)}
    drawn = random_weights(np.random.default_rng(0), 2000, names)
    both = drawn[(drawn[:, number["eyeLookIn_L"]] > 0.4) & (drawn[:, number["eyeLookOut_R"]] > 0.4)]
    cross = drawn[(drawn[:, number["eyeLookIn_L"]] > 0.4) & (drawn[:, number["eyeLookIn_R"]] > 0.4)]
    assert len(both) > 5 and not len(cross)
    assert 0.2 < np.isnan(drawn).any(axis=1).mean() < 0.26 and np.nanmax(drawn) <= 1
