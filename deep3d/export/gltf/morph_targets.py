"""The expressions of a face model as ARKit's blend shapes, for files that other tools animate."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.face_model import FaceModel
from deep3d.whole_head import WholeHead
from deep3d.whole_head.lids import behind_lids

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

TONGUE = "tongueOut"
"""ARKit's 52nd shape: no coefficient of a face model, and 0 in a photo."""

VISEMES: dict[str, dict[str, float]] = {
    "viseme_sil": {},
    "viseme_PP": {"mouthPress": 0.6, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "viseme_FF": {"jawOpen": 0.06, "mouthRollLower": 0.55, "mouthUpperUp": 0.25},
    "viseme_TH": {"jawOpen": 0.2, "tongueOut": 0.4, "mouthLowerDown": 0.15},
    "viseme_DD": {"jawOpen": 0.15, "mouthStretch": 0.1, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15},
    "viseme_kk": {"jawOpen": 0.22, "mouthLowerDown": 0.2, "mouthUpperUp": 0.1},
    "viseme_CH": {
        "jawOpen": 0.08,
        "mouthFunnel": 0.5,
        "mouthPucker": 0.15,
        "mouthLowerDown": 0.2,
        "mouthUpperUp": 0.15,
    },
    "viseme_SS": {
        "jawOpen": 0.04,
        "mouthStretch": 0.3,
        "mouthSmile": 0.15,
        "mouthLowerDown": 0.25,
        "mouthUpperUp": 0.15,
    },
    "viseme_nn": {"jawOpen": 0.12, "mouthLowerDown": 0.2},
    "viseme_RR": {"jawOpen": 0.12, "mouthFunnel": 0.35, "mouthPucker": 0.2},
    "viseme_aa": {"jawOpen": 0.6, "mouthLowerDown": 0.15, "mouthUpperUp": 0.1},
    "viseme_E": {"jawOpen": 0.3, "mouthStretch": 0.25, "mouthSmile": 0.2, "mouthLowerDown": 0.15},
    "viseme_I": {"jawOpen": 0.15, "mouthSmile": 0.4, "mouthStretch": 0.3},
    "viseme_O": {"jawOpen": 0.35, "mouthFunnel": 0.6},
    "viseme_U": {"jawOpen": 0.15, "mouthPucker": 0.7, "mouthFunnel": 0.25},
}
"""Oculus LipSync's 15 mouth shapes as weights of ARKit's, under the names that avatar runtimes expect. A name without a
side stands for both sides."""

STILL = 6e-4  # decimetres: vertices that move less than 60 micrometres are left out of a target
SPOKEN = 5e-3  # the same of a viseme: at the speed of speech nobody sees less


@dataclass(frozen=True)
class MorphTarget:
    """Offsets of the vertices that an expression moves; adding them once is the full expression."""

    name: str  # Apple's
    components: tuple[int, ...]  # of the face model; two halves where Apple's shape has both sides; possibly none
    vertices: np.ndarray  # (N,) int64 of the whole head, ascending
    offsets: np.ndarray  # (N, 3) float32 decimetres


def morph_targets(face_model: FaceModel) -> tuple[MorphTarget, ...]:
    """ARKit's 51 shapes for the open model; for another model those that it has by these names, possibly none."""
    number = {name: component for component, name in enumerate(face_model.expression_names)}
    sources = [(name, tuple(number[part] for part in _parts(name) if part in number)) for name in APPLE_NAMES]
    return tuple(_target(face_model, name, components) for name, components in sources if components)


def all_targets(face_model: FaceModel) -> tuple[MorphTarget, ...]:
    """`morph_targets`, tongueOut and the visemes, as far as the model has what they need."""
    known = {target.name: target for target in face_model.derived(morph_targets)}
    parts = WholeHead.of(face_model).parts
    if len(parts.tongue):
        known[TONGUE] = MorphTarget(TONGUE, (), parts.tongue, parts.tongue_out)
    visemes = [(name, _sides(shares)) for name, shares in VISEMES.items()]
    count = len(face_model.mean_shape) + len(parts.vertices)
    made = [_mixed(name, shares, known, count) for name, shares in visemes if {*shares, TONGUE} <= {*known, TONGUE}]
    return (*known.values(), *(made if known else ()))


def _sides(shares: dict[str, float]) -> dict[str, float]:
    """Weights by Apple's names of weights that name pairs once."""
    sided = {name: (name,) if name in (*APPLE_NAMES, TONGUE) else (f"{name}Left", f"{name}Right") for name in shares}
    return {side: share for name, share in shares.items() for side in sided[name]}


def _mixed(name: str, shares: dict[str, float], known: dict[str, MorphTarget], count: int) -> MorphTarget:
    offsets = np.zeros((count, 3), np.float32)
    for source, share in shares.items():
        if source in known:
            offsets[known[source].vertices] += share * known[source].offsets
    moving = np.flatnonzero((offsets * offsets).sum(axis=1) > SPOKEN * SPOKEN)
    return MorphTarget(name, (), moving, offsets[moving])


def weights(targets: tuple[MorphTarget, ...], expression: np.ndarray) -> np.ndarray:
    """Weights (M,) in [0, 1] of the targets for a face's 64 `expression_weights`; two halves give their mean.

    Targets that are no components of the model have none in a photo.
    """
    means = [float(expression[list(each.components)].mean()) if each.components else 0.0 for each in targets]
    return np.round(np.clip(means, 0, 1), 6)


def base_shape(vertices: np.ndarray, targets: tuple[MorphTarget, ...], weights: np.ndarray) -> np.ndarray:
    """(W, 3) float32 vertices that become `vertices` when the targets are added by their weights.

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
    for component in components:
        offsets = behind_lids(face_model, face_model.expression_names[component], offsets)
    offsets = WholeHead.of(face_model).offsets(offsets)
    moving = np.flatnonzero((offsets * offsets).sum(axis=1) > STILL * STILL)
    return MorphTarget(name, components, moving, offsets[moving])
