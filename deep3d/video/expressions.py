"""Expressions over time under the names that other programs use: ARKit's 52 shapes, and the gaze.

Coefficients describe a shape. Curves for animation should use few names at a time and no opposites, as
`fitting.named_expressions` finds them. Eyes jump and blink: a hidden iris stays where it was last seen or is seen next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.alignment import cropped_again
from deep3d.errors import FaceModelInvalid
from deep3d.export.gltf.morph_targets import APPLE_NAMES, TONGUE, MorphTarget, morph_targets
from deep3d.face_model import FaceModel
from deep3d.fitting.gaze import FULL_TURN, Gaze, read_gazes
from deep3d.fitting.named_expressions import named_weights
from deep3d.reconstruction import Reconstruction
from deep3d.video.heads import HeadTrack
from deep3d.video.smoothing import Smoothing, smooth
from deep3d.video.steady import EXPRESSION, GAZE, movements

ARKIT_NAMES = (*APPLE_NAMES, TONGUE)
EYES_SHAPE = (2, 4)
"""Of the eyes of a frame, the picture's left first: turns to the right and up in weights, seen or not, how clearly."""


@dataclass(frozen=True)
class FaceCurves:
    """The expressions and the gaze of one person in F frames."""

    track: HeadTrack
    weights: np.ndarray  # (F, 52) in [0, 1], of ARKIT_NAMES
    eyes: np.ndarray  # (F, 2, 2) radians: of the person's left eye and the right one, yaw and pitch within the head


def read_eyes(face: Reconstruction) -> np.ndarray:
    """(2, 4) what the photo shows of a face's eyes, see EYES_SHAPE."""
    crop = cropped_again(face.photo.pixels, face.crop)
    gazes = read_gazes(crop.image, face.coefficients, face.camera, face.face_model)
    return np.array([[gaze.across, gaze.upward, gaze.seen, gaze.clear] for gaze in gazes], np.float32)


def curves_of(
    track: HeadTrack, eyes: np.ndarray, model: FaceModel, checkpoint_sha256: str | None, how: Smoothing
) -> FaceCurves:
    """The curves of a steady track and of what its frames show of the eyes (F, 2, 4).

    Raises: FaceModelInvalid for a face model without ARKit's expressions.
    """
    arkit_targets(model)
    turns = np.empty((len(track), 2, 2))
    named = np.empty((len(track), track.expression.shape[1]))
    for rows in movements(track.time):
        time = track.time[rows]
        turns[rows] = _steady_turns(time, eyes[rows], how)
        gazes = [gazes_of(*each) for each in zip(turns[rows], eyes[rows])]
        solved = [
            named_weights(one, both, model, checkpoint_sha256) for one, both in zip(track.expression[rows], gazes)
        ]
        named[rows] = smooth(time, np.array(solved), how, EXPRESSION)
    return FaceCurves(track, arkit_weights(model, named), eye_angles(turns))


def arkit_weights(model: FaceModel, named: np.ndarray) -> np.ndarray:
    """Weights (F, 52) in [0, 1] of ARKIT_NAMES for those of the model's names (F, 64); two halves give their mean."""
    means = [named[:, list(target.components)].mean(axis=1) for target in arkit_targets(model)]
    return np.round(np.clip(np.stack([*means, np.zeros(len(named))], axis=1), 0, 1), 6)


def arkit_targets(model: FaceModel) -> tuple[MorphTarget, ...]:
    """Raises: FaceModelInvalid for a face model without all of ARKit's expressions."""
    targets = model.derived(morph_targets)
    if tuple(target.name for target in targets) != tuple(APPLE_NAMES):
        raise FaceModelInvalid(f"{model.info.name}: lacks some of ARKit's expressions; use another face model")
    return targets


def eye_angles(turns: np.ndarray) -> np.ndarray:
    """(F, 2, 2) radians of the person's left and right eye, yaw and pitch, for turns (F, 2, 2) of `EYES_SHAPE`."""
    full = np.stack([np.full_like(turns[..., 1], FULL_TURN[0]), np.where(turns[..., 1] > 0, *FULL_TURN[1:])], axis=-1)
    return (turns * full)[:, ::-1]


def _steady_turns(time: np.ndarray, eyes: np.ndarray, how: Smoothing) -> np.ndarray:
    """(F, 2, 2) turns of both eyes; in between where an iris is not seen."""
    turns = np.zeros((len(time), 2, 2))
    for eye in range(2):
        seen = eyes[:, eye, 2] > 0
        if seen.any():
            turns[:, eye] = np.stack([np.interp(time, time[seen], eyes[seen, eye, axis]) for axis in range(2)], axis=1)
    return smooth(time, turns.reshape(len(time), 4), how, GAZE).reshape(-1, 2, 2)


def gazes_of(turns: np.ndarray, eyes: np.ndarray) -> tuple[Gaze, Gaze]:
    """Of one frame, from turns (2, 2) and what is seen (2, 4)."""
    one, other = (
        Gaze(float(turn[0]), float(turn[1]), bool(seen[2]), float(seen[3])) for turn, seen in zip(turns, eyes)
    )
    return one, other
