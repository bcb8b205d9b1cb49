"""Heads drawn with one named expression at full strength are read back: through detector, networks and fit."""

import numpy as np
import pytest

from deep3d import Reconstructor
from deep3d.evaluation.robustness.drawn_expressions import EXPRESSIONS, drawn_head
from deep3d.face_model import default_face_model
from deep3d.fitting.named_expressions import OPPOSITES, expression_weights
from deep3d.photo import Photo


@pytest.fixture(scope="module")
def weights_of() -> dict[tuple[str, ...], dict[str, float]]:
    """The weights that each drawn head gets, by name."""
    model, rng = default_face_model(), np.random.default_rng(1)
    photos = [Photo(drawn_head(model, expressions, rng), "drawn", "") for expressions in EXPRESSIONS]
    reconstructor = Reconstructor.load()
    found = [
        faces[0] for start in range(0, len(photos), 8) for faces in reconstructor.reconstruct(photos[start : start + 8])
    ]
    return {
        expressions: dict(zip(model.expression_names, expression_weights(face).tolist(), strict=True))
        for expressions, face in zip(EXPRESSIONS, found, strict=True)
    }


@pytest.mark.parametrize("expressions", EXPRESSIONS, ids="+".join)
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
