"""The 64 expression components: 53 shapes in ARKit's scheme, and 11 correctives that mend their straight paths."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.spatial.transform import Rotation

from recipe.source import Source
from recipe.topology import Topology, sphere_centre

NOT_NAMED = ("PupilDilate_L", "PupilDilate_R", "cheekRaiser_L", "cheekRaiser_R")
SIDES = {"L": "left", "R": "right"}
GAZES = {  # name: axis of the turn in the person's own frame, degrees at full weight; In and Out for the left eye
    "eyeLookDown": ([1, 0, 0], 30.0),
    "eyeLookUp": ([1, 0, 0], -25.0),
    "eyeLookOut": ([0, 1, 0], 32.0),
    "eyeLookIn": ([0, 1, 0], -32.0),
}


def build_expressions(source: Source, topology: Topology) -> tuple[list[str], np.ndarray]:
    """Names (64) and offsets (64, V, 3) in centimetres for weight 1."""
    shapes = {name: topology.resample(offsets) for name, offsets in source.expressions.items()}
    names = sorted(name for name in shapes if name not in NOT_NAMED)
    vertices = topology.resample(source.neutral)
    for name, side in product(GAZES, "LR"):
        shapes[f"{name}_{side}"] += _eyeball_turn(vertices, name, side, topology)
    correctives = {name: shapes[name] for name in ("cheekRaiser_L", "cheekRaiser_R")}
    correctives["jawArc"] = _jaw_arc(vertices, shapes["jawOpen"], topology)
    for side in "LR":
        ball = topology.vertex_part == topology.part_names.index(f"sclera_{SIDES[side]}")
        lids = ~np.char.startswith(np.array(topology.part_names)[topology.vertex_part], "sclera")[:, None]
        correctives[f"blinkArc_{side}"] = _blink_arc(vertices, shapes[f"eyeBlink_{side}"], ball)
        correctives[f"blinkLookDown_{side}"] = -shapes[f"eyeLookDown_{side}"] * lids
        correctives[f"blinkLookUp_{side}"] = -shapes[f"eyeLookUp_{side}"] * lids
        correctives[f"smileDepth_{side}"] = shapes[f"mouthSmile_{side}"] * [0, 0, 1]
    all_names = [*names, *correctives]
    return all_names, np.stack([shapes[name] for name in names] + list(correctives.values()))


def _eyeball_turn(vertices: np.ndarray, gaze: str, side: str, topology: Topology) -> np.ndarray:
    """How far (V, 3) the eyeball on one side turns about its centre with a gaze: the source moves lids alone."""
    ball = topology.vertex_part == topology.part_names.index(f"sclera_{SIDES[side]}")
    axis, degrees = GAZES[gaze]
    mirrored = -1 if side == "R" and axis[1] else 1
    turn = Rotation.from_rotvec(mirrored * np.radians(degrees) * np.array(axis))
    away = vertices[ball] - _ball_centre(vertices[ball])
    offsets = np.zeros_like(vertices)
    offsets[ball] = turn.apply(away) - away
    return offsets


def _ball_centre(eyeball: np.ndarray) -> np.ndarray:
    """Centre (3,) of an eyeball (N, 3), without the cornea's bulge."""
    return sphere_centre(eyeball[eyeball[:, 2] < np.quantile(eyeball[:, 2], 0.5)])


def _jaw_arc(vertices: np.ndarray, jaw_open: np.ndarray, topology: Topology) -> np.ndarray:
    """How far the half-open jaw lies off the straight path, the jaw taken as a hinge; used with weight 4 w (1 - w)."""
    teeth = topology.vertex_part == topology.part_names.index("teeth")
    lower = teeth & (np.linalg.norm(jaw_open, axis=1) > 0.5 * np.linalg.norm(jaw_open[teeth], axis=1).max())
    before, after = vertices[lower], (vertices + jaw_open)[lower]
    turn = Rotation.align_vectors(after - after.mean(0), before - before.mean(0))[0]
    half = Rotation.from_rotvec(turn.as_rotvec() / 2)
    # the hinge: the point that the rigid motion leaves where it is, along the rotation axis any
    matrix = turn.as_matrix()
    hinge = np.linalg.pinv(np.eye(3) - matrix) @ (after.mean(0) - matrix @ before.mean(0))
    whole_way = turn.apply(vertices - hinge) + hinge - vertices
    half_way = half.apply(vertices - hinge) + hinge - vertices
    length = np.linalg.norm(whole_way, axis=1)
    share = np.clip((jaw_open * whole_way).sum(1) / np.maximum(length, 1e-6) ** 2, 0, 1)
    return share[:, None] * (half_way - whole_way / 2)


def _blink_arc(vertices: np.ndarray, blink: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """How far the half-closed lid dips under the eyeball's surface on a straight path; used with weight 4 w (1 - w)."""
    centre = _ball_centre(vertices[ball])
    start, middle, end = (vertices + part * blink - centre for part in (0.0, 0.5, 1.0))
    radius = [np.linalg.norm(p, axis=1) for p in (start, middle, end)]
    lift = (radius[0] + radius[2]) / 2 / np.maximum(radius[1], 1e-6) - 1
    near = (np.linalg.norm(blink, axis=1) > 0.05) & (radius[0] < 3.0) & ~ball
    return middle * (np.clip(lift, 0, 0.5) * near)[:, None]
