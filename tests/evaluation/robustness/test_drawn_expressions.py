"""Which drawn expressions a reconstructor tells."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.evaluation.robustness import drawn_expressions
from deep3d.evaluation.robustness.drawn_expressions import EXPRESSIONS, expression_benchmark
from deep3d.face_model import default_face_model


def test_the_expression_must_have_a_large_weight_and_the_largest(tmp_path, monkeypatch):
    model = default_face_model()
    names = list(model.expression_names)
    benchmark = expression_benchmark(model, 4, tmp_path / "drawn")
    given: list[dict[str, float]] = [{names_[0]: 0.9} for names_ in EXPRESSIONS[:4]]
    given[1] = {EXPRESSIONS[1][0]: 0.5}  # too little
    given[2] = {EXPRESSIONS[2][0]: 0.7, "jawOpen": 0.8}  # another has more

    class Predictor(ReconstructorPredictor):
        def __init__(self) -> None:
            """Without a reconstructor."""

        def reconstructions(self, photos):
            found: list[Any] = [SimpleNamespace(face_model=model, weights=weights) for weights in given[:3]]
            yield from [*found, None]

    def weights_of(face):
        return np.array([face.weights.get(name, 0.0) for name in names])

    monkeypatch.setattr(drawn_expressions, "expression_weights", weights_of)
    measured = benchmark.measure(Predictor(), None)
    assert measured is not None
    assert np.array_equal(measured.errors["told"], [1, 0, 0, np.nan], equal_nan=True)
    assert np.allclose(measured.errors["weight"], [0.9, 0.5, 0.7, np.nan], equal_nan=True)
    assert np.allclose(measured.errors["other"], [0, 0, 0.8, np.nan], equal_nan=True)
    assert list(measured.groups["expression"]) == ["eyeBlink", "browDown"]
    mean_face: Any = SimpleNamespace(name="mean face")
    assert benchmark.measure(mean_face, None) is None


def test_drawn_eyes_shut_on_the_side_that_is_named():
    model = default_face_model()
    open_eyes, left, right = (
        drawn_expressions.drawn_head(model, names, np.random.default_rng(2)).astype(int)
        for names in ((), ("eyeBlink_L",), ("eyeBlink_R",))
    )
    columns = [np.abs(shut - open_eyes).sum(axis=(0, 2)) for shut in (left, right)]
    middle = [(np.arange(512) * changed).sum() / changed.sum() for changed in columns]
    assert middle[0] > 256 > middle[1]  # the person's left eye is on the picture's right
    assert pytest.approx(columns[0].sum(), rel=0.5) == columns[1].sum()
