"""Eyeballs that draw back as lids shut: each moves on its own in a linear model, and some would come through."""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.whole_head.rig import LEFT_EYE, RIGHT_EYE, eyeball

BLINKS = {"eyeBlink_L": LEFT_EYE, "eyeBlink_R": RIGHT_EYE}
"""The open model's names, and the eyes that they shut."""

RETREAT = 0.015  # decimetres; with less than half of it, the cornea of one in 130 portraits is seen


def behind_lids(face_model: FaceModel, name: str, offsets: np.ndarray) -> np.ndarray:
    """(V, 3) offsets (V, 3) of an expression by its name; the eye that a blink shuts is drawn back by `RETREAT`."""
    if name not in BLINKS:
        return offsets
    kept = offsets.copy()
    kept[eyeball(face_model, BLINKS[name])[1], 2] -= RETREAT
    return kept
