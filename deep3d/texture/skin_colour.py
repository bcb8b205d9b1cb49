"""Which vertices are skin in the photo, and which never are.

Ears and neck that do not look like the face's skin are hair, collar or background, however well the mesh lies.
"""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.texture.fill import logarithm
from deep3d.texture.view import smoothstep

LIKE, UNLIKE = 2.5, 5.0  # spreads of the face's own colours: fully trusted up to, not at all from
LEAST_SPREAD = np.array([0.05, 0.05, 0.35], np.float32)  # of log red / green, log blue / green, log green
FRONT = (0.0, 0.3)  # from the ears to the tip of the nose: skin behind is judged, skin before is not
THROAT = (0.0, 0.3)  # decimetres below the chin, likewise


def skin_likeness(colours: np.ndarray, weight: np.ndarray, face_model: FaceModel) -> np.ndarray:
    """How far to trust each vertex (V,), in [0, 1], by its photo colour (V, 3) in 0..255.

    `weight` (V,) says how well the photo shows it. Only ears, neck and the sides of the face are judged, by the robust
    spread of the colours in front; where too little of the front is seen, all are trusted.
    """
    judged = face_model.derived(_judged)
    front = (judged == 0) & (face_model.skin > 0.9) & (weight > 0.5)
    if front.sum() < 50:
        return np.ones(len(colours), np.float32)
    return (1 - judged * smoothstep(colour_distance(colours, front), LIKE, UNLIKE)).astype(np.float32)


def colour_distance(colours: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How many robust spreads each colour (N, 3) in 0..255 lies from the median of those that are `known` (N,) skin."""
    logs = logarithm(colours)
    feature = np.stack([logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1], logs[:, 1]], axis=1)
    middle = np.median(feature[known], axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(feature[known] - middle), axis=0), LEAST_SPREAD)
    return np.linalg.norm((feature - middle) / spread, axis=1)


def mouth_interior(face_model: FaceModel) -> np.ndarray:
    """(V,) whether a vertex is of teeth, gums, tongue or the inside of the cheeks."""
    mean = face_model.mean_shape
    landmarks = face_model.landmarks(mean[None])[0]
    between = (mean[:, 1] < landmarks[33, 1]) & (mean[:, 1] > landmarks[8, 1])
    return (
        (face_model.skin < 0.1) & between & (np.abs(mean[:, 0]) < landmarks[54, 0] * 2) & (mean[:, 2] > landmarks[0, 2])
    )


def front_of_face(face_model: FaceModel) -> np.ndarray:
    """How far each vertex (V,) is facial skin before the ears and above the throat, where a fitted mesh lies best."""
    return face_model.skin - face_model.derived(_judged)


def _judged(face_model: FaceModel) -> np.ndarray:
    """How much each vertex (V,) is judged: 1 on ears and neck, 0 on the front of the face and off the skin."""
    mean = face_model.mean_shape
    landmarks = face_model.landmarks(mean[None])[0]
    ear, nose, chin = landmarks[[0, 16], 2].mean(), landmarks[30, 2], landmarks[8, 1]
    behind = 1 - smoothstep((mean[:, 2] - ear) / (nose - ear), *FRONT)
    below = smoothstep(chin - mean[:, 1], *THROAT)
    return np.maximum(behind, below) * face_model.skin
