"""The joints of a head, under the names that avatar runtimes look for, and what moves with each.

`Spine2` is the shoulders, which stay; `Neck` and `Head` bend the neck between them, `Jaw` turns about the axis of the
model's own jawOpen, and each eye about its middle. At rest they change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.texture.skin_colour import mouth_interior
from deep3d.texture.view import smoothstep
from deep3d.whole_head.whole import WholeHead

JOINTS = ("Spine2", "Neck", "Head", "Jaw", "LeftEye", "RightEye")
PARENTS = (None, 0, 1, 2, 2, 2)
SPINE, NECK, HEAD, JAW, LEFT_EYE, RIGHT_EYE = range(6)
LIDS = {LEFT_EYE: slice(42, 48), RIGHT_EYE: slice(36, 42)}  # of the 68 landmarks; the person's left
NAPE, ATLAS = (-1.15, -0.62), (-0.35, -0.42)
"""Height and depth, decimetres in model space, of the joints at the lower and the upper end of the neck."""
BENDING = (-0.75, -0.25)  # decimetres of height between which the head takes over from the neck
RESTING = (-1.45, -1.1)  # and the neck from the shoulders
FOLLOWED = 60  # vertices nearest to a joint, with which it moves
JAW_OPEN = "jawOpen"
SOCKET = 0.25  # of the eyeball's largest movement: what moves less is the socket
RIGID = 0.8  # of the largest movement of jawOpen in the mouth, from which it is that of bone


@dataclass(frozen=True, eq=False)
class Rig:
    """Joints of the mean head."""

    places: np.ndarray  # (6, 3) decimetres in model space
    followed: np.ndarray  # (6, K) vertices of the model that each moves with
    joints: np.ndarray  # (W, 4) uint8 numbers of joints
    weights: np.ndarray  # (W, 4) uint8 how far each vertex of the whole head moves with them; the sum is 255

    def at(self, vertices: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """(6, 3) the joints of a head with vertices (V, 3), by those of the mean head."""
        moved = (vertices - mean)[self.followed].mean(axis=1)
        return (self.places + moved).astype(np.float32)


def rig(face_model: FaceModel) -> Rig | None:
    """The rig of a model, cached with it; None for models whose jaw does not open."""
    return face_model.derived(_build)


def _build(face_model: FaceModel) -> Rig | None:
    if JAW_OPEN not in face_model.expression_names:
        return None
    head, mean = WholeHead.of(face_model), face_model.mean_shape
    axis, jaw = _jaw(face_model)
    eyes = [eyeball(face_model, side) for side in (LEFT_EYE, RIGHT_EYE)]
    if any(len(ball) < 4 for _, ball in eyes):
        return None
    places = np.array([[0, *NAPE], [0, *NAPE], [0, *ATLAS], axis, *(middle for middle, _ in eyes)])
    places[SPINE, 1] -= 0.3
    order = [np.argsort(((mean - place) ** 2).sum(axis=1))[:FOLLOWED] for place in places]
    for joint, (_, ball) in zip((LEFT_EYE, RIGHT_EYE), eyes):
        order[joint] = np.resize(ball, FOLLOWED)
    shares = _shares(head, jaw, [ball for _, ball in eyes])
    return Rig(places, np.stack(order), *_packed(shares))


def _shares(head: WholeHead, jaw: np.ndarray, eyes: list[np.ndarray]) -> np.ndarray:
    """(W, 6) how far each vertex moves with each joint."""
    height = head.vertices(head.face_model.mean_shape)[:, 1]
    skull, above = smoothstep(height, *BENDING), smoothstep(height, *RESTING)
    shares = np.zeros((len(height), len(JOINTS)))
    shares[:, SPINE] = 1 - above
    shares[:, NECK] = above * (1 - skull)
    shares[:, HEAD] = above * skull
    inner = head.face_model.derived(mouth_interior)
    shares[: len(inner)][inner] = np.eye(len(JOINTS))[HEAD]
    shares[len(inner) + len(head.parts.light) :] = np.eye(len(JOINTS))[HEAD]
    jaw = np.concatenate([jaw[:, None], head.parts.carried(jaw[:, None])])
    shares = (1 - jaw) * shares + jaw * np.eye(len(JOINTS))[JAW]
    for joint, ball in zip((LEFT_EYE, RIGHT_EYE), eyes):
        shares[ball] = np.eye(len(JOINTS))[joint]
    return shares


def _packed(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four largest shares (W, 6) of each vertex as numbers of joints and whole weights; unused ones are joint 0."""
    joints = np.argsort(-shares, axis=1)[:, :4]
    kept = np.take_along_axis(shares, joints, axis=1)
    weights = np.rint(255 * kept / kept.sum(axis=1, keepdims=True)).astype(np.int64)
    weights[:, 0] += 255 - weights.sum(axis=1)
    return np.where(weights > 0, joints, 0).astype(np.uint8), weights.astype(np.uint8)


def _jaw(face_model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the axis (3,) about which jawOpen turns the lower teeth, and how far each vertex goes with them."""
    component = face_model.expression_names.index(JAW_OPEN)
    mean = face_model.mean_shape.astype(np.float64)
    moved = face_model.expression_basis.reshape(-1, *mean.shape)[component].astype(np.float64)
    size = np.linalg.norm(moved, axis=1)
    inside = face_model.derived(mouth_interior)
    teeth = inside & (size > RIGID * size[inside].max(initial=0)) & (size > 0)
    if teeth.sum() < 4:
        return np.array([0, *ATLAS]), np.zeros(len(mean))
    turn, shift = _motion(mean[teeth], (mean + moved)[teeth])
    axis = np.linalg.lstsq(np.eye(3) - turn, shift, rcond=1e-3)[0]
    axis[0] = 0
    whole = mean @ turn.T + shift - mean
    share = (moved * whole).sum(axis=1) / np.maximum((whole**2).sum(axis=1), 1e-6)
    return axis, np.clip(share / RIGID, 0, 1)


def _motion(points: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation and shift from points (N, 3) to targets (Kabsch, 1976)."""
    middle, target_middle = points.mean(axis=0), targets.mean(axis=0)
    u, _, vt = np.linalg.svd((targets - target_middle).T @ (points - middle))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return turn, target_middle - turn @ middle


def eyeball(face_model: FaceModel, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The middle (3,) and the vertices (N,) of the person's left or right eyeball."""
    mean = face_model.mean_shape.astype(np.float64)
    lids = face_model.landmarks(mean[None])[0][LIDS[side]]
    name = f"eyeLookUp_{'L' if side == LEFT_EYE else 'R'}"
    if name not in face_model.expression_names:
        return lids.mean(axis=0), np.zeros(0, np.int64)
    moved = face_model.expression_basis.reshape(-1, *mean.shape)[face_model.expression_names.index(name)]
    near = np.linalg.norm(mean - lids.mean(axis=0), axis=1) < np.linalg.norm(lids[0] - lids[3])
    size = np.linalg.norm(moved, axis=1) * near * (face_model.skin < 0.05)
    ball = np.flatnonzero(size > SOCKET * size.max(initial=0))
    if len(ball) < 4:
        return lids.mean(axis=0), ball
    points = mean[ball]
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    return np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3], ball
