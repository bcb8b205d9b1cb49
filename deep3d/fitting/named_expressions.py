"""Weights of named expressions, for files that other tools animate: few, within [0, 1], and no two that are opposites.

The coefficients of a fit describe the shape well, but spread an expression over many names and shrink it: a frown comes
as a fifth of a frown and a fifth of a stretch. How a network and its fit answer to each expression at full strength is
known from drawn heads; the weights are those for which that answer is the likeliest (Lasso; Tibshirani, 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors
from deep3d.fitting.basis import NAMED_EXPRESSIONS
from deep3d.fitting.gaze import Gaze, read_gazes
from deep3d.reconstruction import Reconstruction

RESPONSE_FILE = "deep3d_resnet50.expressions.safetensors"
TRUST = 0.15  # of the measured precision: real faces vary more than drawn ones at rest
SPARSITY = 0.5  # price of a weight of 1, as a logarithm of probability
SPREAD = 3.0  # of weights about 0
CHOSEN = 0.2  # weights from here are surely meant
OPEN, SHUT = (0.3, 0.3), (0.65, 0.6)
"""Of a blink, its likeliest weight and how far the lids are closed: eyes narrowed by a smile are open."""
FAINT = 0.05  # weights up to here are none
SWEEPS = 60
_PAIRS = (
    ("eyeBlink", "eyeWide"),
    ("eyeLookUp", "eyeLookDown"),
    ("eyeLookIn", "eyeLookOut"),
    ("mouthSmile", "mouthFrown"),
)
OPPOSITES = (
    ("mouthLeft", "mouthRight"),
    ("jawLeft", "jawRight"),
    *((f"{one}_{side}", f"{other}_{side}") for side in "LR" for one, other in _PAIRS),
)
"""No face does both of a pair."""


@dataclass(frozen=True)
class ExpressionResponse:
    """How a network and the fit after it answer to the named expressions, in the 64 coefficients of a face."""

    rest: np.ndarray  # (64,) at rest
    full: np.ndarray  # (64, 53) what each expression at full strength adds
    precision: np.ndarray  # (64, 64) inverse covariance of what else varies

    @classmethod
    def of(cls, face_model: FaceModel, checkpoint_sha256: str | None) -> ExpressionResponse | None:
        """That of the shipped checkpoint, which the model keeps; None for others, that were not measured."""
        return face_model.derived(_response, checkpoint_sha256)


def expression_weights(face: Reconstruction) -> np.ndarray:
    """(64,) weights in [0, 1] of the open model's named expressions, by a face's coefficients and its irises.

    The correctives behind them have none. Those of another model, which has no such names, are its coefficients.
    """
    model, expression = face.face_model, face.coefficients.expression[0].astype(np.float64)
    number = {name: place for place, name in enumerate(model.expression_names[:NAMED_EXPRESSIONS])}
    if not {name for pair in OPPOSITES for name in pair} <= number.keys():
        return np.clip(expression, 0, 1)
    gazes = read_gazes(face.crop.image, face.coefficients, face.camera, model)
    response = ExpressionResponse.of(model, face.checkpoint_sha256)
    if response is None:
        weights = np.clip(expression[:NAMED_EXPRESSIONS], 0, 1)
        _drop_weaker(weights, number, np.ones(len(weights), bool))
    else:
        weights = solve_weights(expression, response, gazes, number)
    return np.append(weights, np.zeros(len(expression) - len(weights)))


def solve_weights(
    expression: np.ndarray, response: ExpressionResponse, gazes: tuple[Gaze, Gaze], number: dict[str, int]
) -> np.ndarray:
    """(53,) the likeliest weights for 64 coefficients, once both gazes are known; `number` has the names."""
    weights = _gaze_weights(gazes, number)
    free = np.array([not name.startswith("eyeLook") for name in number])
    for gaze, side in zip(gazes, "RL", strict=True):
        free[number[f"eyeLookDown_{side}"]] = gaze.upward <= 0 and abs(gaze.across) < 0.5
    precision = TRUST * response.precision
    normal = response.full.T @ precision @ response.full
    right = response.full.T @ precision @ (expression - response.rest) - SPARSITY
    normal = normal + np.eye(len(weights)) / SPREAD**2
    _descend(normal, right, weights, free)
    _drop_weaker(weights, number, free)
    _descend(normal, right, weights, free)
    free &= (weights > CHOSEN) & np.array([not name.startswith("eye") for name in number])
    _descend(normal, right + SPARSITY, weights, free)  # what is chosen need no longer be cheap
    for gaze, side in zip(gazes, "RL", strict=True):
        blink = number[f"eyeBlink_{side}"]
        likely, shut = (weights[blink] - OPEN[0]) / (SHUT[0] - OPEN[0]), (gaze.closed - OPEN[1]) / (SHUT[1] - OPEN[1])
        weights[blink] = np.clip(min(likely, shut), 0, 1)
    return np.where(weights > FAINT, weights, 0.0)


def _drop_weaker(weights: np.ndarray, number: dict[str, int], free: np.ndarray) -> None:
    """Of each two opposites leave the weaker one out, in place: it is no longer `free`."""
    for one, other in OPPOSITES:
        weaker = min(number[one], number[other], key=lambda place: weights[place])
        weights[weaker], free[weaker] = 0.0, False


def _descend(normal: np.ndarray, right: np.ndarray, weights: np.ndarray, free: np.ndarray) -> None:
    """Coordinate descent on the `free` weights, in place, each kept within [0, 1]."""
    places = np.flatnonzero(free)
    for _ in range(SWEEPS):
        for place in places:
            others = normal[place] @ weights - normal[place, place] * weights[place]
            weights[place] = np.clip((right[place] - others) / normal[place, place], 0, 1)


def _gaze_weights(gazes: tuple[Gaze, Gaze], number: dict[str, int]) -> np.ndarray:
    """(53,) with the weights of eyeLook alone; the eye on the image left is the person's right one."""
    weights = np.zeros(len(number))
    for gaze, side, outward in zip(gazes, "RL", (-gazes[0].across, gazes[1].across), strict=True):
        weights[number[f"eyeLookOut_{side}"]] = max(outward, 0)
        weights[number[f"eyeLookIn_{side}"]] = max(-outward, 0)
        weights[number[f"eyeLookUp_{side}"]] = max(gaze.upward, 0)
        weights[number[f"eyeLookDown_{side}"]] = max(-gaze.upward, 0)
    return weights


def _response(_: FaceModel, checkpoint_sha256: str | None) -> ExpressionResponse | None:
    file = read_tensors(asset("checkpoints", RESPONSE_FILE))
    if file.metadata.get("checkpoint_sha256") != checkpoint_sha256:
        return None
    return ExpressionResponse(*(file.arrays[name].astype(np.float64) for name in ("rest", "full", "precision")))
