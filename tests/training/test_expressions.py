import numpy as np

from deep3d.face_model import default_face_model
from deep3d.fitting.gaze import UNSEEN
from deep3d.fitting.named_expressions import ExpressionResponse, solve_weights
from deep3d.synthetic.heads import HeadGenerator
from deep3d.training.expressions import response_of


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


def test_heads_are_drawn_with_the_given_expressions():
    generator = HeadGenerator(default_face_model(), seed=3)
    expressions = np.zeros((2, 64), np.float32)
    expressions[1, 26] = 1
    np.testing.assert_array_equal(generator.draw_expressions(expressions).vectors[:, 80:144], expressions)
