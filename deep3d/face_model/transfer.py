"""Landmarks and skin mask for a foreign face model, transferred from the open one.

The open model's mean face is aligned with the other one by the known landmarks, then by the surface (iterative closest
points, Besl and McKay, 1992), and finally warped to the known landmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from deep3d.face_model.files import default_face_model

ROUNDS = 20
SAMPLES = 4000  # vertices that are paired in each round
OVERLAP = 0.8  # share with a counterpart on the open model: the nearest ones
FEWEST_KNOWN = 4  # landmarks needed for place and size of the face
REACH = 0.2  # decimetres, how far round a known landmark the surface follows it
NOSE_TIP = 30

Motion = Callable[[np.ndarray], np.ndarray]
"""Moves points (N, 3)."""


@dataclass(frozen=True)
class Transfer:
    """What V vertices receive from the open model."""

    landmark_vertices: np.ndarray  # (68,) vertex numbers
    skin: np.ndarray  # (V,) uint8, 255 on facial skin


def transfer(vertices: np.ndarray, triangles: np.ndarray, known: Mapping[int, int]) -> Transfer:
    """For a mean face (V, 3), decimetres, y up, facing +z; `known` has the vertices of its landmarks."""
    model = default_face_model()
    numbers, anchors = np.array([*known], int), vertices[[*known.values()]]
    used = np.unique(triangles)
    motion = _first_motion(model.landmarks(model.mean_shape[None])[0], vertices[used], numbers, anchors)
    laid = _closest(model.mean_shape, vertices[used], motion)(model.mean_shape)
    laid = _pulled(laid, model.landmarks(laid[None])[0][numbers], anchors)
    _, nearest = KDTree(vertices[used]).query(model.landmarks(laid[None])[0])
    landmark_vertices = used[nearest]
    landmark_vertices[numbers] = [*known.values()]
    _, nearest = KDTree(laid).query(vertices)
    return Transfer(landmark_vertices, np.round(model.skin[nearest] * 255).astype(np.uint8))


def _first_motion(points: np.ndarray, surface: np.ndarray, numbers: np.ndarray, anchors: np.ndarray) -> Motion:
    """By the known landmarks, otherwise nose to nose."""
    if len(numbers) >= FEWEST_KNOWN:
        return _similarity(points[numbers], anchors)
    shift = surface[surface[:, 2].argmax()] - points[NOSE_TIP]
    return lambda moved: moved + shift


def _closest(points: np.ndarray, surface: np.ndarray, motion: Motion) -> Motion:
    """The motion that aligns (N, 3) points with a surface (M, 3) that is not larger than theirs."""
    samples = surface[:: max(1, len(surface) // SAMPLES)]
    for _ in range(ROUNDS):
        distance, nearest = map(np.asarray, KDTree(motion(points)).query(samples))
        near = distance <= np.quantile(distance, OVERLAP)
        motion = _similarity(points[nearest[near]], samples[near])
    return motion


def _similarity(points: np.ndarray, targets: np.ndarray) -> Motion:
    """The scaled rotation and shift from points (N, 3) to targets (Umeyama, 1991)."""
    middle, target_middle = points.mean(axis=0), targets.mean(axis=0)
    centred, target_centred = points - middle, targets - target_middle
    u, singular, vt = np.linalg.svd(target_centred.T @ centred)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (singular * signs).sum() / max((centred**2).sum(), 1e-12)
    turn = scale * (u * signs) @ vt
    return lambda moved: (moved - middle) @ turn.T + target_middle


def _pulled(points: np.ndarray, landmarks: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Points (N, 3) moved along with nearby landmarks (K, 3), which move to their anchors."""
    distance = np.linalg.norm(points[:, None] - landmarks, axis=-1)
    weight = np.exp(-((distance / REACH) ** 2))
    return points + weight @ (anchors - landmarks) / np.maximum(weight.sum(axis=1, keepdims=True), 1)
