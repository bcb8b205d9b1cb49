"""Random people with expressions: identity, albedo and expression coefficients, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IDENTITY_SPREAD = (0.7, 1.3)
"""The model's N(0, 1) identities are scaled by a factor of this range, so that unusual faces occur, too."""

HABITS = {"rest": 0.15, "smile": 0.4, "speech": 0.2, "any": 0.25}
"""The kinds of expressions, and their frequencies."""
MOVED = {"rest": 0.05, "smile": 0.12, "speech": 0.12, "any": 0.3}
"""The frequency with which each further part moves."""
_SPOKEN = ("mouthFunnel", "mouthPucker", "mouthStretch_L", "mouthStretch_R", "mouthRollLower")
_SET_APART = ("eyeLook", "eyeBlink", "jaw", "mouthClose")
"""Prefixes of names that are not moved at random."""

Weights = dict[str, np.ndarray]
"""Weights (B,) of the expressions, by name."""


@dataclass(frozen=True)
class People:
    """Coefficients of B people."""

    identity: np.ndarray  # (B, 80)
    albedo: np.ndarray  # (B, 80)
    expression: np.ndarray  # (B, 64)


def random_people(rng: np.random.Generator, count: int, expression_names: tuple[str, ...]) -> People:
    """Draw people with an expression each."""
    spread = rng.uniform(*IDENTITY_SPREAD, (count, 1))
    return People(
        identity=(rng.normal(size=(count, 80)) * spread).astype(np.float32),
        albedo=rng.normal(size=(count, 80)).clip(-2.5, 2.5).astype(np.float32),
        expression=_expressions(rng, count, expression_names).astype(np.float32),
    )


def _expressions(rng: np.random.Generator, count: int, names: tuple[str, ...]) -> np.ndarray:
    """Plausible expressions (B, 64): a kind, random parts, a gaze, a blink, then the correctives."""
    weight: Weights = {name: np.zeros(count) for name in names}
    habit = rng.choice(list(HABITS), count, p=list(HABITS.values()))
    _smile(rng, weight, habit == "smile")
    _speech(rng, weight, habit == "speech")
    share = np.select([habit == name for name in MOVED], list(MOVED.values()))
    for name in names[:53]:
        if not name.startswith(_SET_APART):
            _move(rng, weight, name, rng.random(count) < share)
    gaping = (habit == "any") & (rng.random(count) < 0.5)
    weight["jawOpen"] = np.where(gaping, rng.beta(1, 2, count), weight["jawOpen"])
    way = rng.integers(0, 3, count)
    for number, name in enumerate(("jawLeft", "jawRight", "jawForward")):
        weight[name] = rng.beta(1, 2, count) * (gaping & (way == number) & (rng.random(count) < 0.5))
    _eyes(rng, weight, count)
    _correct(rng, weight, count)
    return np.stack([weight[name] for name in names], axis=1)


def _smile(rng: np.random.Generator, weight: Weights, smiling: np.ndarray) -> None:
    count = len(smiling)
    strength = rng.beta(2, 1.5, count) * smiling
    teeth = rng.beta(1.2, 1.2, count) * strength
    for side in "LR":
        part = np.clip(strength + rng.normal(0, 0.07, count), 0, 1) * smiling
        weight[f"mouthSmile_{side}"] = part
        weight[f"cheekSquint_{side}"] = part * rng.beta(2, 3, count)
        weight[f"eyeSquint_{side}"] = part * rng.beta(1, 3, count)
        weight[f"mouthUpperUp_{side}"] = teeth * rng.uniform(0.2, 0.7, count)
        weight[f"mouthLowerDown_{side}"] = teeth * rng.uniform(0.0, 0.7, count)
        weight[f"mouthDimple_{side}"] = part * rng.beta(1, 4, count)
    weight["jawOpen"] = teeth * rng.beta(1, 4, count)


def _speech(rng: np.random.Generator, weight: Weights, speaking: np.ndarray) -> None:
    count = len(speaking)
    opened = rng.beta(1.2, 3, count)
    weight["jawOpen"] = np.where(speaking, opened, weight["jawOpen"])
    for name in _SPOKEN:
        weight[name] = rng.beta(1, 3, count) * (rng.random(count) < 0.4) * speaking
    weight["mouthClose"] = opened * rng.random(count) * (rng.random(count) < 0.3) * speaking


def _move(rng: np.random.Generator, weight: Weights, name: str, moved: np.ndarray) -> None:
    """Raise one weight where it is `moved` (B,), and mostly its other side with it."""
    count = len(moved)
    amount = rng.beta(1, 2, count)
    weight[name] = np.where(moved, np.maximum(weight[name], amount), weight[name])
    other = _other_side(name)
    if other:
        along = moved & (rng.random(count) < 0.75)
        same = np.clip(amount + rng.normal(0, 0.08, count), 0, 1)
        weight[other] = np.where(along, np.maximum(weight[other], same), weight[other])


def _eyes(rng: np.random.Generator, weight: Weights, count: int) -> None:
    """Both eyes look the same way, and blink together but for a wink."""
    across, up = rng.normal(0, 0.3, (2, count)).clip(-1, 1) * (rng.random(count) < 0.7)
    for side, sign in (("L", 1), ("R", -1)):
        turn = across * sign  # positive looks outward on the person's left
        weight[f"eyeLookOut_{side}"], weight[f"eyeLookIn_{side}"] = turn.clip(0), (-turn).clip(0)
        weight[f"eyeLookUp_{side}"], weight[f"eyeLookDown_{side}"] = up.clip(0), (-up).clip(0)
    kind = rng.random(count)
    blink = np.where(kind < 0.08, rng.uniform(0.85, 1, count), rng.beta(1, 6, count) * 0.8)
    winking = rng.random(count) < 0.5
    for side, chosen in (("L", winking), ("R", ~winking)):
        both = np.clip(blink + rng.normal(0, 0.03, count), 0, 1)
        weight[f"eyeBlink_{side}"] = np.where((kind > 0.97) & chosen, 1.0, both)


def _correct(rng: np.random.Generator, weight: Weights, count: int) -> None:
    """The correctives that follow from the named weights, as bfm/recipe/expressions.py defines them."""
    jaw = weight["jawOpen"]
    weight["jawArc"] = 4 * jaw * (1 - jaw)
    for side in "LR":
        blink = weight[f"eyeBlink_{side}"]
        weight[f"blinkArc_{side}"] = 4 * blink * (1 - blink)
        weight[f"blinkLookDown_{side}"] = blink * weight[f"eyeLookDown_{side}"]
        weight[f"blinkLookUp_{side}"] = blink * weight[f"eyeLookUp_{side}"]
        weight[f"cheekRaiser_{side}"] = weight[f"mouthSmile_{side}"] * rng.beta(1, 3, count)
        weight[f"smileDepth_{side}"] = weight[f"mouthSmile_{side}"] * rng.normal(0, 0.15, count)


def _other_side(name: str) -> str | None:
    if name.endswith("_L"):
        return name[:-1] + "R"
    return name[:-1] + "L" if name.endswith("_R") else None
