"""Random people and faces they make: identity, albedo and expression coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IDENTITY_SPREAD = (0.7, 1.3)
"""The model's N(0, 1) identities are scaled by a factor of this range, so that unusual faces are met too."""


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
        expression=np.stack([_expression(rng, expression_names) for _ in range(count)]).astype(np.float32),
    )


def _expression(rng: np.random.Generator, names: tuple[str, ...]) -> np.ndarray:
    """One face that a person could make: a habit (rest, smile, speech, any), a gaze, a blink, then the correctives."""
    weight = dict.fromkeys(names, 0.0)
    habit = rng.choice(["rest", "smile", "speech", "any"], p=[0.15, 0.4, 0.2, 0.25])
    if habit == "smile":
        _smile(rng, weight)
    elif habit == "speech":
        weight["jawOpen"] = rng.beta(1.2, 3)
        for name in ("mouthFunnel", "mouthPucker", "mouthStretch_L", "mouthStretch_R", "mouthRollLower"):
            weight[name] = rng.beta(1, 3) * (rng.random() < 0.4)
        weight["mouthClose"] = weight["jawOpen"] * rng.random() * (rng.random() < 0.3)
    share = {"rest": 0.05, "smile": 0.12, "speech": 0.12, "any": 0.3}[habit]
    for name in names[:53]:
        if not name.startswith(("eyeLook", "eyeBlink", "jaw", "mouthClose")) and rng.random() < share:
            amount = rng.beta(1, 2)
            weight[name] = max(weight[name], amount)
            other = other_side(name)
            if other and rng.random() < 0.75:
                weight[other] = max(weight[other], float(np.clip(amount + rng.normal(0, 0.08), 0, 1)))
    if habit == "any" and rng.random() < 0.5:
        weight["jawOpen"] = rng.beta(1, 2)
        weight[rng.choice(["jawLeft", "jawRight", "jawForward"])] = rng.beta(1, 2) * (rng.random() < 0.5)
    _eyes(rng, weight)
    _correct(rng, weight)
    return np.array([weight[name] for name in names])


def _smile(rng: np.random.Generator, weight: dict[str, float]) -> None:
    strength = rng.beta(2, 1.5)
    teeth = rng.beta(1.2, 1.2) * strength
    for side in "LR":
        part = float(np.clip(strength + rng.normal(0, 0.07), 0, 1))
        weight[f"mouthSmile_{side}"] = part
        weight[f"cheekSquint_{side}"] = part * rng.beta(2, 3)
        weight[f"eyeSquint_{side}"] = part * rng.beta(1, 3)
        weight[f"mouthUpperUp_{side}"] = teeth * rng.uniform(0.2, 0.7)
        weight[f"mouthLowerDown_{side}"] = teeth * rng.uniform(0.0, 0.7)
        weight[f"mouthDimple_{side}"] = part * rng.beta(1, 4)
    weight["jawOpen"] = teeth * rng.beta(1, 4)


def _eyes(rng: np.random.Generator, weight: dict[str, float]) -> None:
    """Both eyes look the same way, and blink together but for a wink."""
    across, up = rng.normal(0, 0.3, 2) * (rng.random() < 0.7)
    for side, sign in (("L", 1), ("R", -1)):
        turn = across * sign  # positive looks outward on the person's left
        weight[f"eyeLookOut_{side}"], weight[f"eyeLookIn_{side}"] = max(turn, 0), max(-turn, 0)
        weight[f"eyeLookUp_{side}"], weight[f"eyeLookDown_{side}"] = max(up, 0), max(-up, 0)
    kind = rng.random()
    blink = rng.uniform(0.85, 1) if kind < 0.08 else rng.beta(1, 6) * 0.8
    for side in "LR":
        weight[f"eyeBlink_{side}"] = float(np.clip(blink + rng.normal(0, 0.03), 0, 1))
    if kind > 0.97:
        weight[f"eyeBlink_{rng.choice(['L', 'R'])}"] = 1.0


def _correct(rng: np.random.Generator, weight: dict[str, float]) -> None:
    """The correctives that follow from the named weights, as bfm/recipe/expressions.py defines them."""
    jaw = weight["jawOpen"]
    weight["jawArc"] = 4 * jaw * (1 - jaw)
    for side in "LR":
        blink = weight[f"eyeBlink_{side}"]
        weight[f"blinkArc_{side}"] = 4 * blink * (1 - blink)
        weight[f"blinkLookDown_{side}"] = blink * weight[f"eyeLookDown_{side}"]
        weight[f"blinkLookUp_{side}"] = blink * weight[f"eyeLookUp_{side}"]
        weight[f"cheekRaiser_{side}"] = weight[f"mouthSmile_{side}"] * rng.beta(1, 3)
        weight[f"smileDepth_{side}"] = weight[f"mouthSmile_{side}"] * rng.normal(0, 0.15)


def other_side(name: str) -> str | None:
    """The name of the same expression on the other side of the face, where it has sides."""
    if name.endswith("_L"):
        return name[:-1] + "R"
    return name[:-1] + "L" if name.endswith("_R") else None
