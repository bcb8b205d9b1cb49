"""Confidence in a reconstruction: the expected landmark error, and warnings with advice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import CROP_SIZE, DEEP3D_CAMERA, Pose
from deep3d.coefficients import FaceCoefficients
from deep3d.landmarks import INNER, LIPS, box_size

ERROR_PER_DEVIATION, ERROR_PER_REFINED = 1.6, 5.6
"""Factors from the mean deviation of the inner landmarks to the error that nine of ten faces stay below, for the
regressor's deviations and for the refiner's. Chosen on degraded photos of the tuning half that were not trained on
(docs/measurements.md)."""

NO_FACE_REFINED, NO_FACE = (12.0, 18.0), (6.0, 9.0)
"""Expected error in percent of the face box above which a detection is rejected, for the refiner and for the regressor:
first if the detector's score is below `SURE`, then whatever the score. Of 217 pictures without a
face, drawn and collected for choosing, the detector finds something in 44. The refiner expects 12.6% at least, and of
the nine up to 18% eight have a lower score; the regressor 6.4%, but for one. Blurred and covered portraits of which the
refiner expects 12 to 18% are within 6, and all but one have a higher score."""
SURE = 0.98
DRAWN_REFINED, DRAWN = 6.0, 2.5
"""Expected error above which a detection is rejected if its crop is `unshaded`: a cartoon. Many drawn smileys have a
score above `SURE`; the refiner expects 6.2 to 12% of most of them, the regressor 2.6% or more."""
UNSHADED = 0.3
"""Share of unshaded blocks in each third of a face from which it is a drawing. Of 76 smileys that would be accepted, 74
have more. Of 106 doubted portraits, blurred, noisy, in hard light and partly covered with one colour, none has more
than 0.12; of 37 doubted synthetic heads, most of them before one colour, none more than 0.16."""
BLOCK, SHADED = 8, 0.08  # crop pixels a side; difference between neighbours, in deviations of all blocks
ROUND = np.array([np.cos(np.arange(32) * np.pi / 16), np.sin(np.arange(32) * np.pi / 16)])  # directions of a circle
UNSURE = 4.0  # percent of the face box, expected error from which a photo is called hard to read
SMALL = 60.0  # photo pixels across the face
SIDE = 50.0  # degrees of yaw
NEAR = 4.5  # decimetres from camera to head
COVERED = 1.4  # times the deviation of the face as a whole
OUTSIDE = 0.03  # of the points


@dataclass(frozen=True)
class Confidence:
    """An estimate of a result's quality, made without ground truth."""

    landmark_error: float  # percent of the face box: nine of ten such faces have a smaller mean error over 51 landmarks
    warnings: tuple[str, ...]  # sentences for people, the most serious first


def assess(
    points: np.ndarray,
    deviation: np.ndarray,
    refined: bool,
    pixels_per_crop_pixel: float,
    inside: np.ndarray,
    coefficients: FaceCoefficients,
) -> Confidence:
    """The confidence in one face by its dense landmarks.

    `points` (N, 2) and `deviation` (N,) are in crop pixels; the first 68 are the 68 landmarks. `refined` tells whether
    they come from the refiner, `inside` (N,) which ones lie in the photo. `coefficients` (B = 1) are the result's.
    """
    box = float(box_size(points[:68]))
    error = float(expected_error(points, deviation, refined))
    distance = DEEP3D_CAMERA.distance - float(coefficients.translation[0, 2])
    yaw = Pose.from_rotation(coefficients.rotation[0]).yaw
    width = box * pixels_per_crop_pixel
    lips = deviation[LIPS].mean() / deviation[INNER].mean()
    checks = [
        (width < SMALL, f"The face is only {width:.0f} pixels wide. A larger one gives more detail."),
        (1 - inside.mean() > OUTSIDE, "The photo's edge cuts off part of the face. That part is a guess."),
        (abs(yaw) > SIDE, "The head is turned far to the side. Its hidden half is a guess."),
        (lips > COVERED, "The mouth seems covered. Its shape is a guess."),
        (
            distance < NEAR,
            f"The photo was taken from {10 * distance:.0f} cm. This close, noses look larger and ears smaller.",
        ),
        (error > UNSURE, "The face is hard to read. It may be blurred, dark or covered, and the result may be wrong."),
    ]
    return Confidence(error, tuple(sentence for wrong, sentence in checks if wrong))


def shows_face(
    expected: np.ndarray, refined: bool, score: np.ndarray, crops: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """(B,) bool, whether detections are accepted as faces.

    By their expected errors (B,), the detector's scores (B,), their crops (B, 224, 224, 3) uint8, and dense landmarks
    (B, N, 2) in crop pixels.
    """
    unsure, sure = NO_FACE_REFINED if refined else NO_FACE
    accepted = expected <= np.where(score < SURE, unsure, sure)
    for face in np.flatnonzero(accepted & (expected > (DRAWN_REFINED if refined else DRAWN))):
        accepted[face] = unshaded(crops[face], points[face]) <= UNSHADED
    return accepted


def unshaded(crop: np.ndarray, points: np.ndarray) -> float:
    """Share of blocks of a face that hardly differ from their neighbours, in the third that has fewest.

    The face is what lies between its landmarks (N, 2) in the crop (224, 224, 3); its thirds lie above each other, and
    side by side. Skin has shades everywhere, whatever covers a part of it; a drawing has even areas. Black is beyond
    the photo.
    """
    side = CROP_SIZE // BLOCK
    blocks = crop.mean(axis=2).reshape(side, BLOCK, side, BLOCK).mean(axis=(1, 3))
    middles = (np.indices((side, side))[::-1].reshape(2, -1).T + 0.5) * BLOCK
    between = (middles @ ROUND <= (points @ ROUND).max(axis=0)).all(axis=1)
    face = between.reshape(side, side) & (blocks > 0)
    across, down = np.diff(blocks, axis=1)[:-1], np.diff(blocks, axis=0)[:, :-1]
    inside = face[:-1, :-1] & face[1:, :-1] & face[:-1, 1:]
    if not inside.any():
        return 1.0
    even = np.hypot(across, down) < SHADED * blocks[face].std()
    return min(_least_share(even, inside), _least_share(even.T, inside.T))


def _least_share(chosen: np.ndarray, inside: np.ndarray) -> float:
    """The smallest share of chosen ones among those inside (H, W), of the three thirds of the rows that have some."""
    thirds = np.array_split(np.flatnonzero(inside.any(axis=1)), 3)
    return min(float(chosen[rows][inside[rows]].mean()) for rows in thirds if len(rows))


def expected_error(points: np.ndarray, deviation: np.ndarray, refined: bool) -> np.ndarray:
    """`Confidence.landmark_error` of faces (...), by their dense landmarks (..., N, 2) and deviations (..., N)."""
    error_per_deviation = ERROR_PER_REFINED if refined else ERROR_PER_DEVIATION
    return error_per_deviation * 100 * deviation[..., INNER].mean(axis=-1) / box_size(points[..., :68, :])
