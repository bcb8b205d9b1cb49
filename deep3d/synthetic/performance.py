"""Motion of synthetic people: poses and expressions frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import Pose

BLINK_S = 0.3  # from open over shut to open
BLINKS_EVERY_S = 2.6


@dataclass(frozen=True)
class Performance:
    """Poses and expressions of one person in F frames."""

    rotation: np.ndarray  # (F, 3) radians about x, y, z
    position: np.ndarray  # (F, 2) middle of the head, in heights of the picture from its centre, y down
    size: np.ndarray  # (F,) length of a decimetre at the head, in heights of the picture
    expression: np.ndarray  # (F, 64) weights


def talking(seconds: np.ndarray, names: tuple[str, ...], seed: int, turning: float = 1.0) -> Performance:
    """Someone in the middle of the picture who talks, blinks, smiles now and then, and turns by up to 45 degrees.

    `seconds` (F,) are the times of the frames; with `turning` 0 the head keeps still.
    """
    rng = np.random.default_rng(seed)
    yaw = turning * (36 * _sway(rng, seconds, 0.3) + 12 * _sway(rng, seconds, 0.6))
    pitch = turning * (9 * _sway(rng, seconds, 0.4) + 3 * _sway(rng, seconds, 1.1))
    roll = turning * 5 * _sway(rng, seconds, 0.3)
    drift = 0.035 * turning * np.stack([_sway(rng, seconds, 0.25), 0.6 * _sway(rng, seconds, 0.35)], axis=1)
    size = 0.21 * (1 + 0.08 * turning * _sway(rng, seconds, 0.15))
    return Performance(_rotations(yaw, pitch, roll), drift, size, speech(seconds, names, rng))


def still(seconds: np.ndarray, names: tuple[str, ...]) -> Performance:
    """Someone who keeps perfectly still."""
    nothing = np.zeros(len(seconds))
    return Performance(
        _rotations(nothing + 8, nothing - 3, nothing + 2),
        np.zeros((len(seconds), 2)),
        nothing + 0.21,
        np.zeros((len(seconds), len(names)), np.float32),
    )


def nodding(seconds: np.ndarray, names: tuple[str, ...], rate: float = 1.2) -> Performance:
    """Someone who nods at a rate per second, by 12 degrees either way."""
    nothing = np.zeros(len(seconds))
    pitch = 12 * np.sin(2 * np.pi * rate * seconds)
    return Performance(
        _rotations(nothing, pitch, nothing),
        np.zeros((len(seconds), 2)),
        nothing + 0.21,
        np.zeros((len(seconds), len(names)), np.float32),
    )


def walking(seconds: np.ndarray, names: tuple[str, ...], path: np.ndarray, size: float, seed: int) -> Performance:
    """Someone who talks while going along a path: rows of time, x, y (K, 3), in seconds and heights of the picture."""
    rng = np.random.default_rng(seed)
    position = np.stack([np.interp(seconds, path[:, 0], path[:, axis]) for axis in (1, 2)], axis=1)
    yaw, pitch = 14 * _sway(rng, seconds, 0.3), 4 * _sway(rng, seconds, 0.5)
    return Performance(
        _rotations(yaw, pitch, 3 * _sway(rng, seconds, 0.3)),
        position,
        np.full(len(seconds), size),
        speech(seconds, names, rng),
    )


def speech(seconds: np.ndarray, names: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Expressions (F, 64) of someone who talks in phrases of a second or two, blinks and smiles."""
    weight = {name: np.zeros(len(seconds)) for name in names}
    phrase = _smooth((_sway(rng, seconds, 0.45) + 0.45) / 0.5)
    syllable = 0.5 + 0.5 * _sway(rng, seconds, 3.6)
    weight["jawOpen"] = 0.42 * phrase * syllable
    rounded = _smooth(_sway(rng, seconds, 1.3) / 0.6) * phrase
    weight["mouthFunnel"], weight["mouthPucker"] = 0.4 * rounded, 0.3 * rounded * (1 - syllable)
    weight["mouthClose"] = 0.25 * weight["jawOpen"] * _smooth(_sway(rng, seconds, 2.1))
    smile = 0.6 * _smooth(_sway(rng, seconds, 0.2) / 0.5) * (1 - 0.6 * rounded)
    brows = 0.5 * _smooth(_sway(rng, seconds, 0.35) / 0.6)
    blink = _blinks(rng, seconds)
    weight["browInnerUp_L"] = weight["browInnerUp_R"] = brows
    for side, share in (("L", 1.0), ("R", 0.9)):
        weight[f"mouthSmile_{side}"] = share * smile
        weight[f"cheekSquint_{side}"] = 0.4 * share * smile
        weight[f"browOuterUp_{side}"] = 0.6 * share * brows
        weight[f"mouthUpperUp_{side}"] = 0.25 * weight["jawOpen"]
        weight[f"mouthLowerDown_{side}"] = 0.5 * weight["jawOpen"]
        weight[f"eyeBlink_{side}"] = blink
        weight[f"blinkArc_{side}"] = 4 * blink * (1 - blink)  # as bfm/recipe/expressions.py defines the correctives
    weight["jawArc"] = 4 * weight["jawOpen"] * (1 - weight["jawOpen"])
    return np.stack([weight[name] for name in names], axis=1).astype(np.float32)


def _sway(rng: np.random.Generator, seconds: np.ndarray, rate: float) -> np.ndarray:
    """A smooth wave (F,) in [-1, 1] about so many times a second, which does not repeat."""
    phases, rates = rng.uniform(0, 2 * np.pi, 3), rate * np.array([1.0, 0.618, 1.414])
    return np.sin(2 * np.pi * rates[:, None] * seconds + phases[:, None]).T @ np.array([0.6, 0.25, 0.15])


def _smooth(value: np.ndarray) -> np.ndarray:
    """From 0 at 0 to 1 at 1 without corners."""
    share = np.clip(value, 0, 1)
    return share * share * (3 - 2 * share)


def _blinks(rng: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """Closure of the eyes (F,) by quick blinks at uneven intervals."""
    starts = np.cumsum(BLINKS_EVERY_S * rng.uniform(0.6, 1.4, 1 + int(seconds.max(initial=0) / BLINKS_EVERY_S * 2)))
    middle = seconds[:, None] - (starts - BLINKS_EVERY_S / 2)
    return _smooth(1.3 * (1 - np.abs(middle) / (BLINK_S / 2))).max(axis=1)


def _rotations(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """(F, 3) radians of degrees (F,) each."""
    return np.stack([Pose(*angles).to_rotation() for angles in zip(yaw, pitch, roll)])
