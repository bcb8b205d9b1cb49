"""Vertices that show skin in the photo.

Ears and neck that do not look like the face's skin are hair, collar or background, however well the mesh fits.
"""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.texture.fill import logarithm
from deep3d.texture.view import smoothstep

LIKE, UNLIKE = 2.5, 5.0  # spreads of the face's own colours: fully trusted up to, not at all from
LEAST_SPREAD = np.array([0.05, 0.05, 0.35], np.float32)  # of log red / green, log blue / green, log green
NARROW = np.array([0.08, 0.08, 0.6], np.float32)  # the most off the face: collars are pale, hair is fair
FRONT = (0.0, 0.3)  # from the ears to the tip of the nose: skin behind is judged, skin in front is not
THROAT = (0.0, 0.3)  # decimetres below the chin, likewise
NAPE = -0.25  # decimetres in model space, where the neck begins behind
NECK_DEPTH = (0.1, -0.5)  # decimetres: it begins at the chin in front of the first, at the nape behind the second
BEHIND = (0.1, 0.8)  # decimetres behind the ears, over which what the photo tells of the light fades
NECK_FADE = (0.05, 0.35)  # decimetres below its beginning, from where nothing is taken from the photo
CLOTH = (0.7, 1.1)  # difference of the logarithms of red and blue over green from the face's: no light changes skin so
LEAST_FRONT = 50  # vertices that must be seen of it
TONED = (0.02, 0.045)  # spread of hues of one brightness, logarithms: up to in black-and-white, from in colour


def skin_likeness(colours: np.ndarray, weight: np.ndarray, unsure: np.ndarray, face_model: FaceModel) -> np.ndarray:
    """Trust in each vertex (V,), in [0, 1], from its photo colour (V, 3) in 0..255.

    `weight` (V,) is its visibility. Ears, throat and the sides of the face are judged by the robust spread of the
    colours in front; if too little of the front is visible, all of them are trusted. The neck never is: collars,
    jewellery and the head's shadow lie there, and a little of one stains all that is continued from it. Where it is
    `unsure` (V,) since the face turns away, the hue of a cloth is not of skin, and of no beard.
    """
    judged, above = face_model.derived(_judged), 1 - face_model.derived(neck)
    front = (judged == 0) & (face_model.skin > 0.9) & (weight > 0.5)
    if front.sum() < LEAST_FRONT:
        return above
    trust = 1 - judged * smoothstep(colour_distance(colours, front, NARROW), LIKE, UNLIKE)
    hue = logarithm(colours)[:, ::2] - logarithm(colours)[:, 1:2]
    cloth = smoothstep(np.linalg.norm(hue - np.median(hue[front], axis=0), axis=1), *CLOTH)
    return (trust * above * (1 - unsure * cloth)).astype(np.float32)


def uncovered(colours: np.ndarray, weight: np.ndarray, face_model: FaceModel) -> np.ndarray:
    """How far each vertex (V,) may be skin by its photo colour (V, 3) in 0..255: a mask or a microphone is not.

    It is judged by the upper half of the face, of which masks leave enough; `weight` (V,) is its visibility.
    """
    upper = face_model.derived(_upper_face) & (weight > 0.5)
    if upper.sum() < LEAST_FRONT:
        return np.ones(len(colours), np.float32)
    return (1 - smoothstep(colour_distance(colours, upper, NARROW, lit=True), LIKE, UNLIKE)).astype(np.float32)


def neck(face_model: FaceModel) -> np.ndarray:
    """How far each vertex (V,) lies on the neck: 0 down to the chin and the nape, 1 from three centimetres below."""
    mean = face_model.mean_shape
    chin = face_model.landmarks(mean[None])[0, 8, 1]
    front, back = NECK_DEPTH
    level = chin + (NAPE - chin) * np.clip((front - mean[:, 2]) / (front - back), 0, 1)
    return (face_model.skin * smoothstep(level - mean[:, 1], *NECK_FADE)).astype(np.float32)


def back_of_head(face_model: FaceModel) -> np.ndarray:
    """(V,) from 0 in front of the ears to 1 at the back of the head."""
    mean = face_model.mean_shape
    ears = face_model.landmarks(mean[None])[0][[0, 16], 2].mean()
    return smoothstep(ears - mean[:, 2], *BEHIND)


def colour_distance(
    colours: np.ndarray, known: np.ndarray, most: np.ndarray | float = np.inf, lit: bool = False
) -> np.ndarray:
    """Distance of each colour (N, 3) in 0..255, in robust spreads, from the median of the `known` (N,) skin.

    `most` (3,) is the largest spread of log red / green, log blue / green and log green. What is brighter, but of the
    same hue, does not differ where it may be `lit`.
    """
    logs = logarithm(colours)
    feature = np.stack([logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1], logs[:, 1]], axis=1)
    middle = np.median(feature[known], axis=0)
    spread = np.clip(1.4826 * np.median(np.abs(feature[known] - middle), axis=0), LEAST_SPREAD, most)
    difference = (feature - middle) / spread
    if lit:
        difference[:, 2] = np.minimum(difference[:, 2], 0)
    return np.linalg.norm(difference, axis=1)


def mouth_interior(face_model: FaceModel) -> np.ndarray:
    """(V,) whether a vertex is of teeth, gums, tongue or the inside of the cheeks."""
    mean = face_model.mean_shape
    landmarks = face_model.landmarks(mean[None])[0]
    between = (mean[:, 1] < landmarks[33, 1]) & (mean[:, 1] > landmarks[8, 1])
    return (
        (face_model.skin < 0.1) & between & (np.abs(mean[:, 0]) < landmarks[54, 0] * 2) & (mean[:, 2] > landmarks[0, 2])
    )


def eyeballs(face_model: FaceModel) -> np.ndarray:
    """(V,) whether a vertex is of the fronts of the eyeballs."""
    mean = face_model.mean_shape
    points = face_model.landmarks(mean[None])[0]
    near = np.zeros(len(mean), bool)
    for corners in (points[36:42], points[42:48]):
        reach = np.linalg.norm(corners[0] - corners[3])
        near |= np.linalg.norm(mean - corners.mean(axis=0), axis=1) < 0.6 * reach
    return near & (face_model.skin < 0.05)


def front_of_face(face_model: FaceModel) -> np.ndarray:
    """(V,) in [0, 1]: facial skin in front of the ears and above the throat, where a fitted mesh fits best."""
    return face_model.skin - face_model.derived(_judged)


def _upper_face(face_model: FaceModel) -> np.ndarray:
    """(V,) bool, the front of the face from the bridge of the nose up."""
    bridge = face_model.landmarks(face_model.mean_shape[None])[0, 28, 1]
    return (face_model.derived(front_of_face) > 0.9) & (face_model.mean_shape[:, 1] > bridge)


def like_the_photo(photo: np.ndarray, model: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The logarithms of a model's colours (V, 3), as colourful as the photo's where it shows `skin` (V,).

    In black-and-white and toned photos the hue follows from the brightness, so it must in teeth, throat and the back
    of the head.
    """
    if skin.sum() < 1:
        return model
    shares = skin / skin.sum()
    grey = photo.mean(axis=1, keepdims=True)
    brightness, hue = grey - shares @ grey, photo - grey
    middle = shares @ hue
    slope = shares @ (brightness * (hue - middle)) / max(float(shares @ brightness[:, 0] ** 2), 1e-4)
    variety = np.sqrt(shares @ ((hue - middle - brightness * slope) ** 2).sum(axis=1))
    grey = model.mean(axis=1, keepdims=True)
    toned = grey + middle + (grey - shares @ grey) * slope
    return (model + (1 - smoothstep(variety, *TONED)) * (toned - model)).astype(np.float32)


def _judged(face_model: FaceModel) -> np.ndarray:
    """How much each vertex (V,) is judged: 1 on ears and neck, 0 on the front of the face and off the skin."""
    mean = face_model.mean_shape
    landmarks = face_model.landmarks(mean[None])[0]
    ear, nose, chin = landmarks[[0, 16], 2].mean(), landmarks[30, 2], landmarks[8, 1]
    behind = 1 - smoothstep((mean[:, 2] - ear) / (nose - ear), *FRONT)
    below = smoothstep(chin - mean[:, 1], *THROAT)
    return np.maximum(behind, below) * face_model.skin
