"""Weights of named expressions, for files that other tools animate: few, within [0, 1], and no two that are opposites.

The coefficients of a fit describe the shape well, but spread an expression over many names and shrink it: a frown comes
as a fifth of a frown and a fifth of a stretch. How a network and its fit answer to each expression at full strength is
known from drawn heads; the weights are those for which that answer is the likeliest (Lasso; Tibshirani, 1996), and of
these as few as explain it nearly as well. The answers to the left and the right half of an expression resemble each
other, so noise would tell them apart: both halves alike count as one weight, as what faces mostly do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.face_model import FaceModel
from deep3d.files.assets import asset
from deep3d.files.tensor_file import read_tensors
from deep3d.fitting.basis import NAMED_EXPRESSIONS
from deep3d.fitting.gaze import UNSEEN, Gaze, read_gazes
from deep3d.reconstruction import Reconstruction

RESPONSE_FILE = "deep3d_resnet50.expressions.safetensors"
TRUST = 0.5  # of the measured precision: real faces vary more than drawn ones
SPARSITY = 2.0  # price of a weight of 1, as a logarithm of probability, while the weights are found
PRICE = 1.5  # logarithm of probability that each weight that is kept must explain
ENTERING = 0.5  # beyond the price, from where a weight counts fully
SPREAD = 3.0  # of weights about 0
BLINKING = (0.24, 0.3)  # of the coefficient of a blink, less what an iris tells: open eyes have less, shut ones more
IRIS, CLEAREST = 0.7, 0.4  # what an iris that is seen tells against a blink, and how clear the clearest counts
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
    """The response of a network and its fit to the named expressions, in the 64 coefficients of a face."""

    rest: np.ndarray  # (64,) at rest
    full: np.ndarray  # (64, 53) change for each expression at full strength
    precision: np.ndarray  # (64, 64) inverse covariance of other variation

    @classmethod
    def of(cls, face_model: FaceModel, checkpoint_sha256: str | None) -> ExpressionResponse | None:
        """The response of the shipped checkpoint, cached with the model; None for others, which were not measured."""
        return face_model.derived(_response, checkpoint_sha256)


def expression_weights(face: Reconstruction) -> np.ndarray:
    """(64,) weights in [0, 1] of the open model's named expressions, by a face's coefficients and its irises.

    The correctives behind them have none. Those of another model, which has no such names, are its coefficients.
    """
    model, expression = face.face_model, face.coefficients.expression[0].astype(np.float64)
    if not has_names(model):
        return np.clip(expression, 0, 1)
    gazes = (UNSEEN, UNSEEN)  # which nothing depends on where no answers were measured
    if ExpressionResponse.of(model, face.checkpoint_sha256) is not None:
        gazes = read_gazes(face.crop.image, face.coefficients, face.camera, model)
    return named_weights(expression, gazes, model, face.checkpoint_sha256)


def has_names(face_model: FaceModel) -> bool:
    """Whether a model has the expressions of the open one."""
    return {name for pair in OPPOSITES for name in pair} <= set(face_model.expression_names[:NAMED_EXPRESSIONS])


def named_weights(
    expression: np.ndarray, gazes: tuple[Gaze, Gaze], face_model: FaceModel, checkpoint_sha256: str | None
) -> np.ndarray:
    """(64,) the weights of `expression_weights` for 64 coefficients and gazes, for a model that has the names."""
    number = {name: place for place, name in enumerate(face_model.expression_names[:NAMED_EXPRESSIONS])}
    response = ExpressionResponse.of(face_model, checkpoint_sha256)
    if response is None:
        weights = np.clip(expression[:NAMED_EXPRESSIONS], 0, 1)
        _drop_weaker(weights, number, np.ones(len(weights), bool), np.eye(len(weights)))
    else:
        weights = solve_weights(expression, response, gazes, number)
    return np.append(weights, np.zeros(len(expression) - len(weights)))


def solve_weights(
    expression: np.ndarray, response: ExpressionResponse, gazes: tuple[Gaze, Gaze], number: dict[str, int]
) -> np.ndarray:
    """(53,) the likeliest weights for 64 coefficients, once both gazes are known; `number` has the names."""
    moves = _moves(number)
    strengths = np.zeros(moves.shape[1])
    strengths[: len(number)] = _gaze_weights(gazes, number)
    free = np.array([not name.startswith("eyeLook") for name in number] + [True] * (moves.shape[1] - len(number)))
    for gaze, side in zip(gazes, "RL", strict=True):
        free[number[f"eyeLookDown_{side}"]] = gaze.upward <= 0 and abs(gaze.across) < 0.5
    precision, full = TRUST * response.precision, response.full @ moves
    normal = full.T @ precision @ full + np.eye(len(strengths)) / SPREAD**2
    right = full.T @ precision @ (expression - response.rest)
    _descend(normal, right - SPARSITY, strengths, free)
    _drop_weaker(strengths, number, free, moves)
    _descend(normal, right - SPARSITY, strengths, free)
    strengths[free & (strengths <= FAINT)] = 0
    _prune(normal, right, strengths, free & (strengths > 0), PRICE)
    weights = np.minimum(moves @ strengths, 1)
    for gaze, side in zip(gazes, "RL", strict=True):
        _set_blink(weights, number, side, expression[number[f"eyeBlink_{side}"]] - IRIS * min(gaze.clear, CLEAREST))
    return np.where(weights > FAINT, weights, 0.0)


def _moves(number: dict[str, int]) -> np.ndarray:
    """(53, M) the weights of each move that a face makes: each expression, then those on both sides alike."""
    left = [name for name in number if name.endswith("_L") and not name.startswith("eyeLook")]  # eyes are looked at
    both = np.zeros((len(number), len(left)))
    for column, name in enumerate(left):
        both[[number[name], number[name.removesuffix("L") + "R"]], column] = 1
    return np.hstack([np.eye(len(number)), both])


def _set_blink(weights: np.ndarray, number: dict[str, int], side: str, evidence: float) -> None:
    """Shut or open one eye, in place: narrow eyes are open, and what the lids of a shut one do else is not seen."""
    blink = float(np.clip((evidence - BLINKING[0]) / (BLINKING[1] - BLINKING[0]), 0, 1))
    weights[number[f"eyeBlink_{side}"]] = blink
    for other in ("eyeWide", "eyeSquint", "eyeLookDown"):
        weights[number[f"{other}_{side}"]] *= blink < 0.5


def _drop_weaker(strengths: np.ndarray, number: dict[str, int], free: np.ndarray, moves: np.ndarray) -> None:
    """Of each two opposites leave the weaker one out, in place: no move that has it is `free` any longer."""
    weights = moves @ strengths
    for one, other in OPPOSITES:
        weaker = min(number[one], number[other], key=lambda place: weights[place])
        strengths[moves[weaker] > 0], free[moves[weaker] > 0] = 0.0, False


@numba.njit(cache=True, nogil=True)
def _descend(normal, right, weights, free):
    """Coordinate descent on the `free` weights, in place, each kept within [0, 1]."""
    for _ in range(SWEEPS):
        for place in range(len(weights)):
            if free[place]:
                rest = right[place] + normal[place, place] * weights[place]
                for other in range(len(weights)):
                    rest -= normal[place, other] * weights[other]
                weights[place] = min(max(rest / normal[place, place], 0.0), 1.0)


@numba.njit(cache=True, nogil=True)
def _prune(normal, right, weights, free, price):
    """Refit the `free` weights, in place, and leave those out, one by one, that explain less than their price.

    What hardly explains its own comes in by and by, so that videos do not jump.
    """
    _descend(normal, right, weights, free)
    while free.any():
        before = 0.5 * weights @ (normal @ weights) - right @ weights
        loss, without = np.full(len(weights), np.inf), np.empty((len(weights), len(weights)))
        for k in np.flatnonzero(free):
            without[k], others = weights, free.copy()
            without[k, k], others[k] = 0.0, False
            _descend(normal, right, without[k], others)
            loss[k] = 0.5 * without[k] @ (normal @ without[k]) - right @ without[k] - before
        least = np.argmin(loss)
        if loss[least] >= price:
            for k in np.flatnonzero(free):
                weights[k] *= min((loss[k] - price) / ENTERING, 1.0)
            return
        weights[:] = without[least]
        free[least] = False


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
