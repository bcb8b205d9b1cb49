"""The baseline that every predictor has to beat: the mean face, placed by the five alignment points alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from deep3d.camera import Camera, Pose, place, project
from deep3d.errors import ShapeError
from deep3d.evaluation.measurement import PredictedLandmarks, PredictedMesh
from deep3d.face_model import FaceModel
from deep3d.landmarks import five_points
from deep3d.mesh import MILLIMETRES

FAR_AWAY = 1e5  # decimetres: perspective then changes no point by more than a thousandth of a pixel


@dataclass(frozen=True)
class WeakPerspective:
    """A pose and a camera so far away that only its scale and centre matter."""

    rotation: np.ndarray  # (3,) radians about x, y, z
    camera: Camera

    def project(self, points: np.ndarray) -> np.ndarray:
        """Photo pixels (N, 2) of (N, 3) model-space points in decimetres."""
        return project(place(points[None], self.rotation[None], np.zeros((1, 3))), self.camera)[0]


@dataclass(frozen=True)
class MeanFace:
    """Predicts the mean shape of a face model for every photo; only the pose of the head follows the photo."""

    face_model: FaceModel  # numpy
    detect_five_points: Callable[[Sequence[Path]], Iterable[np.ndarray | None]]
    """Per photo (5, 2) points in photo pixels, the eye on the image left first, or None without a face."""
    name: str = "mean face"

    def predict_landmarks(self, photos: Sequence[Path]) -> Iterator[PredictedLandmarks | None]:
        """Landmarks of the mean shape in the weak-perspective pose that fits the five points best."""
        mean = self.face_model.mean_shape[None].astype(np.float64)
        landmarks, mediapipe = self.face_model.markup.points(mean)[0], self.face_model.landmarks(mean)[0]
        for detected in self.detect_five_points(photos):
            if detected is None:
                yield None
                continue
            view = fit_weak_perspective(five_points(landmarks), detected)
            yaw = Pose.from_rotation(view.rotation).yaw
            yield PredictedLandmarks(view.project(landmarks), yaw, mediapipe=view.project(mediapipe))

    def predict_meshes(self, photos: Sequence[Path]) -> Iterator[PredictedMesh | None]:
        """The mean shape for each photo."""
        yield from (mean_mesh(self.face_model) for _ in photos)

    def predict_person(self, photos: Sequence[Path]) -> PredictedMesh:
        """The mean shape for everybody."""
        return mean_mesh(self.face_model)


def mean_mesh(model: FaceModel) -> PredictedMesh:
    """The mean shape as a prediction."""
    vertices = model.mean_shape * MILLIMETRES
    return PredictedMesh(vertices, model.triangles, model.markup.points.nearest, vertices)


def fit_weak_perspective(points: np.ndarray, pixels: np.ndarray) -> WeakPerspective:
    """The least-squares view of (N, 3) model-space points for (N, 2) photo pixels; N >= 4.

    Found by Levenberg and Marquardt's method from the frontal view that fits best in the picture plane.

    Raises: ShapeError for other shapes.
    """
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 4 or pixels.shape != (len(points), 2):
        raise ShapeError(f"pose fit: expected shapes (N, 3) and (N, 2) with N >= 4, got {points.shape}, {pixels.shape}")

    def view(parameters: np.ndarray) -> WeakPerspective:
        log_scale, column, row = parameters[3:]
        return WeakPerspective(parameters[:3], Camera(np.exp(log_scale) * FAR_AWAY, column, row, FAR_AWAY))

    def residuals(parameters: np.ndarray) -> np.ndarray:
        return (view(parameters).project(points) - pixels).ravel()

    frontal, target = (plane @ [1, 1j] for plane in (view(np.zeros(6)).project(points), pixels))
    centred = frontal - frontal.mean()
    turn = np.vdot(centred, target - target.mean()) / np.vdot(centred, centred).real  # in the plane, y down
    centre = target.mean() - turn * frontal.mean()
    start = [0, 0, -np.angle(turn), np.log(np.abs(turn)), centre.real, centre.imag]
    return view(least_squares(residuals, start, method="lm", x_scale="jac").x)
