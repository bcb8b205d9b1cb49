"""A face from 68 given landmarks: no detector, no network."""

from __future__ import annotations

import time

import numpy as np

from deep3d.alignment import align
from deep3d.camera import CROP_SIZE, place, project
from deep3d.coefficients import COEFFICIENT_COUNT, FaceCoefficients
from deep3d.detection.detector import Detection
from deep3d.errors import LandmarksInvalid, ShapeError
from deep3d.face_model import FaceModel, SurfacePoints
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.landmarks import Fit, Priors, fit_covariance, fit_landmarks
from deep3d.fitting.pose import fit_pose
from deep3d.landmarks import INNER, JAW, PLACEMENTS, Placement, five_points
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction

PRIORS = Priors(trust=1.0, identity=1.0, expression=0.4)  # about the mean: there is no prediction of a network
DEVIATION = 2.0  # crop pixels, of landmarks that a person or a good detector placed
JAW_DEVIATION = 4.0  # along the outline the position of a point is undetermined
OUTLINES = 2  # updates of the outline
FIRST_YAWS = np.radians([-55.0, 0.0, 55.0])  # starts of the search for the pose
LARGEST_ERROR = 12.0  # crop pixels between fitted face and landmarks: with more it is no face, or in another order


def fit_photo(
    photo: Photo, landmarks68: np.ndarray, face_model: FaceModel, placement: Placement | None = None
) -> Reconstruction:
    """The face whose 68 landmarks (iBUG 300-W order) lie at (68, 2) photo pixels; albedo is the mean, light is plain.

    `placement` is the convention of the list; by default the one with the best fit is used.

    Raises: ShapeError; LandmarksInvalid if no face can look like that; AlignmentFailed.
    """
    if landmarks68.shape != (68, 2):
        raise ShapeError(f"landmarks: expected shape (68, 2), got {landmarks68.shape}")
    clock = time.perf_counter()
    if not np.isfinite(landmarks68).all():
        raise LandmarksInvalid(f"{photo.name}: some landmarks are not finite numbers; give all 68")
    crop = align(photo.pixels, five_points(landmarks68))
    points = crop.to_crop(landmarks68)[None]
    tried = PLACEMENTS if placement is None else (placement,)
    fits = [_fitted(face_model, points, each) for each in tried]
    basis, fit = min(fits, key=lambda each: each[1].error[0])
    low, high = landmarks68.min(axis=0), landmarks68.max(axis=0)
    face = Reconstruction(
        photo=photo,
        detection=Detection(np.concatenate([low, high]), 1.0, five_points(landmarks68)),
        crop=crop,
        coefficients=fit.coefficients,
        face_model=face_model,
        camera=fit.cameras[0],
        checkpoint_name=None,
        checkpoint_sha256=None,
        covariance=fit_covariance(basis, fit, points, _deviation(), PRIORS)[0],
        timings_ms={"fit": 1000 * (time.perf_counter() - clock)},
    )
    distance = float(np.linalg.norm(crop.to_crop(face.landmarks68) - points[0], axis=-1)[INNER].mean())
    if not distance < LARGEST_ERROR:
        raise LandmarksInvalid(
            f"{photo.name}: these landmarks do not fit any face, the closest fit is {distance:.0f} of {CROP_SIZE} "
            "pixels off; check their order (iBUG 300-W, from 1 to 68) and that they belong to this photo"
        )
    return face


def _fitted(model: FaceModel, points: np.ndarray, placement: Placement) -> tuple[LandmarkBasis, Fit]:
    """The face by landmarks (1, 68, 2) of a placement; an outline is updated as the head turns."""
    surface = model.landmarks if placement == "mediapipe" else model.markup.points
    basis = LandmarkBasis.of_points(model, surface)
    start = _first_pose(basis, points)
    fit = fit_landmarks(basis, points, _deviation(), start, PRIORS)
    for _ in range(OUTLINES if placement == "contour" else 0):
        basis = LandmarkBasis.of_points(model, _outline(model, fit))
        fit = fit_landmarks(basis, points, _deviation(), start, PRIORS)
    return basis, fit


def _deviation() -> np.ndarray:
    """(1, 68) crop pixels."""
    deviation = np.full((1, 68), DEVIATION)
    deviation[:, JAW] = JAW_DEVIATION
    return deviation


def _outline(model: FaceModel, fit: Fit) -> SurfacePoints:
    """The surface points with the jaw on the outline of a fitted face."""
    face, rows = fit.coefficients, model.markup.jaw_rows
    placed = place(rows(model.shape(face)), face.rotation, face.translation)
    chosen = model.markup.outline(project(placed, fit.cameras[0]), face.rotation[:, 2])
    return model.markup.on_outline(chosen[0])


def _first_pose(basis: LandmarkBasis, points: np.ndarray) -> FaceCoefficients:
    """The mean face in the best of the poses that three guesses lead to."""
    right, left = points[0, 36:42].mean(axis=0), points[0, 42:48].mean(axis=0)
    roll = -np.arctan2(*(left - right)[::-1])
    guesses = np.stack([np.zeros(3), FIRST_YAWS, np.full(3, roll)], axis=1)
    mean = np.repeat(basis.mean[None], len(guesses), axis=0)
    rotation, translation = fit_pose(mean[:, INNER], np.repeat(points[:, INNER], len(guesses), axis=0), guesses)
    seen = project(place(mean[:, INNER], rotation, translation))
    best = int(np.argmin(np.linalg.norm(seen - points[:, INNER], axis=-1).mean(axis=1)))
    vector = np.zeros((1, COEFFICIENT_COUNT), np.float32)
    start = FaceCoefficients.from_vector(vector)
    start.rotation[:], start.translation[:] = rotation[best], translation[best]
    return start
