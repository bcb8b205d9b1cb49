"""Gaze: finds the iris on the eyeball as the dark disc between the lids.

Landmarks contain almost no information about the gaze: the lids hardly move when eyes turn aside. The result is the
disc on the eyeball that separates the pixels between the lids most clearly into a dark and a bright part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import Camera, depth, place, project, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel, ModelPart

EYES = (slice(36, 42), slice(42, 48))  # of the 68 landmarks: on the image left, and right
IRIS = 0.5  # radians from the middle of an iris to its edge, as the eyeball's centre sees it
ACROSS, UPWARD = np.radians(np.arange(-44, 45, 4.0)), np.radians(np.arange(-36, 37, 4.0))
FULL_TURN = np.radians([32.0, 25.0, 30.0])  # across, up, down: of the model's shapes at weight 1
STEADY = np.radians(8.0)  # smaller turns may be errors
FINE = 2  # samples for a pixel, across
LEAST_VERTICES = 50  # of an eyeball
LEAST_SAMPLES = 30
SHUT = 0.2  # height of an eye over its width, up to which no gaze is read: closed ones have 0.13
CLEAR = 0.18  # contrast of iris and white, relative to the white, from which an eye counts as open
EFFORT = 0.12  # share of the score that a full turn costs: most eyes look straight ahead


@dataclass(frozen=True)
class Gaze:
    """The rotation of one eye, in weights of the model's shapes."""

    across: float  # toward the picture's right in the face's frame, -1..1
    upward: float  # -1..1
    seen: bool  # whether there is an iris between the lids; if not, the turn is 0
    clear: float = 0.0  # how clearly an iris differs from the white around it: 0 of plain skin, 0.3 of most eyes


UNSEEN = Gaze(0.0, 0.0, False)


def read_gazes(
    crop: np.ndarray, coefficients: FaceCoefficients, camera: Camera, face_model: FaceModel
) -> tuple[Gaze, Gaze]:
    """The gazes of one face in its crop (H, W, 3) uint8, the eye on the image left first."""
    balls = face_model.derived(_eyeballs)
    if min(len(ball.vertices) for ball in balls) < LEAST_VERTICES:
        return UNSEEN, UNSEEN
    lids = face_model.derived(_lids).shape(coefficients)[0]
    right, left = (
        _read(crop, lids[eye], still.mean(axis=0) + ball.back, ball.radius, coefficients, camera)
        for eye, ball, still in zip(EYES, balls, _neutral_balls(face_model, coefficients))
    )
    return right, left


@dataclass(frozen=True)
class _Eyeball:
    vertices: np.ndarray  # (N,)
    back: np.ndarray  # (3,) from their mean to the centre, decimetres
    radius: float


def _lids(face_model: FaceModel) -> ModelPart:
    """The landmarks alone."""
    return face_model.part(face_model.landmark_vertices)


def _neutral_balls(face_model: FaceModel, coefficients: FaceCoefficients) -> list[np.ndarray]:
    """The vertices (N, 3) of both eyeballs of a face without expression."""
    parts = face_model.derived(_ball_parts)
    return [(part.mean_shape + part.identity_components(coefficients.identity))[0] for part in parts]


def _ball_parts(face_model: FaceModel) -> tuple[ModelPart, ...]:
    return tuple(face_model.part(ball.vertices) for ball in face_model.derived(_eyeballs))


def _eyeballs(face_model: FaceModel) -> tuple[_Eyeball, _Eyeball]:
    """The eyeballs of the mean head: vertices off the skin, in front of and round the middle of each eye."""
    mean = face_model.mean_shape
    found = []
    for eye in EYES:
        middle = mean[face_model.landmark_vertices[eye]].mean(axis=0)
        near = (face_model.skin < 0.1) & (np.abs(mean - middle) < [0.12, 0.1, 0.1]).all(axis=1)
        points = mean[near].astype(np.float64)
        if len(points) < LEAST_VERTICES:
            found.append(_Eyeball(np.flatnonzero(near), np.zeros(3), 0.0))
            continue
        system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
        solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
        radius = float(np.sqrt(solution[3] + (solution[:3] ** 2).sum()))
        found.append(_Eyeball(np.flatnonzero(near), solution[:3] - points.mean(axis=0), radius))
    return found[0], found[1]


def _read(
    crop: np.ndarray, lids: np.ndarray, centre: np.ndarray, radius: float, face: FaceCoefficients, camera: Camera
) -> Gaze:
    points = place(np.concatenate([lids, centre[None]])[None].astype(np.float32), face.rotation, face.translation)
    pixels = project(points, camera)[0]
    scale = camera.focal_length_px / float(depth(points, camera)[0, -1])  # pixels for a decimetre
    places = _between(pixels[:-1])
    aside = (places - pixels[-1]) * [1, -1] / (scale * radius)
    on_ball = (aside**2).sum(axis=1) < 0.95
    aside, places = aside[on_ball], places[on_ball]
    if len(places) < LEAST_SAMPLES:
        return UNSEEN
    toward = np.column_stack([aside, np.sqrt(1 - (aside**2).sum(axis=1))])
    toward = toward @ rotation_matrix(face.rotation.astype(np.float64))[0]  # in the head's own frame
    return _darkest_disc(toward, _red(crop, places), _opening(pixels[:-1]) > SHUT)


def _darkest_disc(toward: np.ndarray, red: np.ndarray, open_: bool) -> Gaze:
    """The gaze with the darkest iris, from directions (S, 3) from the eyeball's centre and colours (S,).

    An eye that is not `open_` has none.
    """
    across, upward = (grid.ravel() for grid in np.meshgrid(ACROSS, UPWARD, indexing="ij"))
    middles = np.column_stack([np.sin(across) * np.cos(upward), np.sin(upward), np.cos(across) * np.cos(upward)])
    inside = (middles @ toward.T > np.cos(IRIS)).astype(np.float64)
    many = inside.sum(axis=1)
    dark = inside @ red / np.maximum(many, 1)
    bright = (red.sum() - inside @ red) / np.maximum(len(red) - many, 1)
    score = (bright - dark) * np.sqrt(many * (len(red) - many)) / len(red)
    turn = np.hypot(across / FULL_TURN[0], upward / FULL_TURN[1:].mean())
    best = int(np.argmax(score * (1 - EFFORT * turn)))
    clear = float(score[best] / max(red.mean(), 1.0))
    if not open_ or bright[best] - dark[best] < CLEAR * bright[best]:
        return Gaze(0.0, 0.0, False, clear)
    full = FULL_TURN[1] if upward[best] > 0 else FULL_TURN[2]
    return Gaze(_weight(across[best], FULL_TURN[0]), _weight(upward[best], full), True, clear)


def _weight(angle: float, full: float) -> float:
    return float(np.clip(np.sign(angle) * max(abs(angle) - STEADY, 0) / (full - STEADY), -1, 1))


def _opening(lids: np.ndarray) -> float:
    """Height of an eye over its width, by its six landmarks (6, d)."""
    height = np.linalg.norm(lids[1] - lids[5]) + np.linalg.norm(lids[2] - lids[4])
    return float(height / 2 / max(np.linalg.norm(lids[0] - lids[3]), 1e-6))


def _between(lids: np.ndarray) -> np.ndarray:
    """Sub-pixel samples (S, 2) between the lids of an eye with six landmarks at (6, 2) pixels."""
    low, high = np.floor(lids.min(axis=0)), np.ceil(lids.max(axis=0))
    columns, rows = (np.arange(a, b, 1 / FINE) for a, b in zip(low, high))
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    edges = np.roll(lids, -1, axis=0) - lids
    away = places[:, None] - lids
    return places[(edges[:, 0] * away[..., 1] - edges[:, 1] * away[..., 0] > 0).all(axis=1)]


def _red(crop: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(S,) the crop's red, bilinear: skin and the white of an eye are bright in it, whatever the colour of the iris."""
    x = np.clip(places[:, 0], 0, crop.shape[1] - 1.001)
    y = np.clip(places[:, 1], 0, crop.shape[0] - 1.001)
    column, row = x.astype(int), y.astype(int)
    fx, fy, red = x - column, y - row, crop[..., 0].astype(np.float64)
    upper = red[row, column] * (1 - fx) + red[row, column + 1] * fx
    lower = red[row + 1, column] * (1 - fx) + red[row + 1, column + 1] * fx
    return upper * (1 - fy) + lower * fy
