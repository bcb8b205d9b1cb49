"""The expressions of a face model as ARKit's blend shapes, for files that other tools animate."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.face_model import FaceModel

APPLE_NAMES = (
    "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
    "cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
    "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft "
    "eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft "
    "mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight "
    "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft "
    "mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft "
    "noseSneerRight"
).split()
"""ARKit's ARFaceAnchor.BlendShapeLocation without tongueOut, in alphabetical order."""

STILL = 3e-4  # decimetres: vertices that move less than 30 micrometres are left out of a target


@dataclass(frozen=True)
class MorphTarget:
    """Offsets of the vertices that an expression moves; adding them once is the full expression."""

    name: str  # Apple's
    components: tuple[int, ...]  # of the face model; two halves where Apple's shape has both sides
    vertices: np.ndarray  # (N,) int64, ascending
    offsets: np.ndarray  # (N, 3) float32 decimetres


def morph_targets(face_model: FaceModel) -> tuple[MorphTarget, ...]:
    """ARKit's 51 shapes for the open model; for another model those that it has by these names, possibly none."""
    number = {name: component for component, name in enumerate(face_model.expression_names)}
    sources = [(name, tuple(number[part] for part in _parts(name) if part in number)) for name in APPLE_NAMES]
    return tuple(_target(face_model, name, components) for name, components in sources if components)


def weights(targets: tuple[MorphTarget, ...], expression: np.ndarray) -> np.ndarray:
    """Weights (M,) in [0, 1] of the targets for a face's 64 `expression_weights`; two halves give their mean."""
    means = [float(expression[list(target.components)].mean()) for target in targets]
    return np.round(np.clip(means, 0, 1), 6)


def base_shape(vertices: np.ndarray, targets: tuple[MorphTarget, ...], weights: np.ndarray) -> np.ndarray:
    """(V, 3) float32 vertices that become `vertices` when the targets are added by their weights.

    It contains what the targets cannot express: identity, correctives, weights beyond [0, 1], unequal halves.
    """
    base = vertices.astype(np.float64)
    for target, weight in zip(targets, weights):
        if weight > 0:
            _subtract(base, target.vertices, target.offsets, weight)
    return base.astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _subtract(base, vertices, offsets, weight):
    for n in range(len(vertices)):
        for axis in range(3):
            base[vertices[n], axis] -= weight * offsets[n, axis]


def _parts(name: str) -> tuple[str, ...]:
    """The open model's names for one of Apple's shapes."""
    if name in ("browInnerUp", "cheekPuff"):
        return f"{name}_L", f"{name}_R"
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return (name,)
    for side in ("Left", "Right"):
        if name.endswith(side):
            return (f"{name.removesuffix(side)}_{side[0]}",)
    return (name,)


def _target(face_model: FaceModel, name: str, components: tuple[int, ...]) -> MorphTarget:
    full = np.zeros((1, len(face_model.expression_components)), np.float32)
    full[:, list(components)] = 1
    offsets = face_model.expression_offsets(full)[0]
    moving = np.flatnonzero((offsets * offsets).sum(axis=1) > STILL * STILL)
    return MorphTarget(name, components, moving, offsets[moving])
