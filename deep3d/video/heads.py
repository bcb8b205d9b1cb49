"""A person's head over the frames of a video, in the video's own pixels: what is smoothed, drawn and written."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from deep3d.camera import DEEP3D_CAMERA, Pose, rotation_angles, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.confidence import Confidence
from deep3d.detection.detector import Detection
from deep3d.face_model import FaceModel
from deep3d.fitting import LandmarkBasis
from deep3d.fitting.held import held_basis
from deep3d.fitting.iteration import FaceState
from deep3d.landmarks import five_points
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction
from deep3d.video.sightings import crop_at


@dataclass(frozen=True)
class Person:
    """What stays the same of a person over a video."""

    number: int
    identity: np.ndarray  # (80,)
    albedo: np.ndarray  # (80,)


@dataclass(frozen=True)
class HeadTrack:
    """One person in F frames, in their order; frames without the person are left out."""

    person: Person
    frame: np.ndarray  # (F,) int64
    time: np.ndarray  # (F,) float64 seconds
    angles: np.ndarray  # (F, 3) radians about x, y, z
    place: np.ndarray  # (F, 2) pixels where the middle of the head is
    scale: np.ndarray  # (F,) logarithm of pixels for a decimetre there
    perspective: np.ndarray  # (F,) per decimetre: 1 / distance of the camera
    expression: np.ndarray  # (F, 64)
    lighting: np.ndarray  # (F, 27)
    error: np.ndarray  # (F,) landmark error to expect, percent
    crops: np.ndarray  # (F, 7) the crops of `Sightings`

    @classmethod
    def of(
        cls,
        person: Person,
        frame: np.ndarray,
        time: np.ndarray,
        state: FaceState,
        lighting: np.ndarray,
        error: np.ndarray,
        crops: np.ndarray,
    ) -> HeadTrack:
        """Of states (B = F) in the pixels of their crops."""
        scale = np.exp(state.scale)
        middle = np.column_stack(
            [
                DEEP3D_CAMERA.column + scale * state.shift[:, 0],
                DEEP3D_CAMERA.row - scale * state.shift[:, 1],
            ]
        )
        zoom, corner = _frame_maps(crops)
        return cls(
            person,
            frame,
            time,
            np.unwrap(rotation_angles(state.turn), axis=0),
            middle * zoom + corner,
            state.scale + np.log(zoom[:, 0]),
            state.perspective,
            state.shape,
            lighting,
            error,
            crops,
        )

    def __len__(self) -> int:
        return len(self.frame)

    def chosen(self, rows: np.ndarray | slice) -> HeadTrack:
        """Some of the frames."""
        arrays = {each.name: getattr(self, each.name)[rows] for each in fields(self) if each.name != "person"}
        return replace(self, **arrays)

    def landmarks68(self, model: FaceModel) -> np.ndarray:
        """(F, 68, 2) the mesh's own landmarks in pixels of the video."""
        basis = held_basis(model.derived(_landmark_basis), self.person.identity)
        return self.project(basis.mean + np.tensordot(self.expression, basis.directions, axes=(1, 2)))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (F, N, 2) of the video where each frame shows its points (F, N, 3) among the head's vertices."""
        turned = points @ rotation_matrix(self.angles).mT
        near = 1 / (1 - self.perspective[:, None] * turned[..., 2])
        zoom, corner = _frame_maps(self.crops)
        principal = np.array([DEEP3D_CAMERA.column, DEEP3D_CAMERA.row]) * zoom + corner
        aside = np.exp(self.scale)[:, None, None] * turned[..., :2] * [1, -1] + (self.place - principal)[:, None]
        return principal[:, None] + near[..., None] * aside

    def pose(self, row: int) -> Pose:
        """Which way the head is turned in a row's frame."""
        return Pose.from_rotation(self.angles[row])

    def face(self, row: int, photo: Photo, model: FaceModel) -> Reconstruction:
        """The face of a row in its frame."""
        crop, perspective = crop_at(self.crops[row]), float(self.perspective[row])
        zoom, corner = _frame_maps(self.crops[row : row + 1])
        column, line = (self.place[row] - corner[0]) / zoom[0]
        scale = float(np.exp(self.scale[row]) / zoom[0, 0])
        translation = [
            (column - DEEP3D_CAMERA.column) / scale,
            (DEEP3D_CAMERA.row - line) / scale,
            DEEP3D_CAMERA.distance - 1 / perspective,
        ]
        coefficients = FaceCoefficients(
            *(
                np.asarray(values, np.float32)[None]
                for values in (
                    self.person.identity,
                    self.expression[row],
                    self.person.albedo,
                    rotation_angles(rotation_matrix(self.angles[row : row + 1]))[0],
                    self.lighting[row],
                    translation,
                )
            )
        )
        face = Reconstruction(
            photo=photo,
            detection=Detection(np.zeros(4), 1.0, np.zeros((5, 2))),
            crop=crop,
            coefficients=coefficients,
            face_model=model,
            camera=replace(DEEP3D_CAMERA, focal_length_px=scale / perspective),
            checkpoint_name=None,
            checkpoint_sha256=None,
            timings_ms={},
            confidence=Confidence(float(self.error[row]), ()),
        )
        points = face.landmarks68
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        return replace(face, detection=Detection(box, 1.0, five_points(points)))


def _landmark_basis(model: FaceModel) -> LandmarkBasis:
    return LandmarkBasis.of_points(model, model.markup.points)


def _frame_maps(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame pixels in one of the crop (F, 2), and the frame pixel (F, 2) of the crop's pixel 0, of crops (F, 7)."""
    zoom = crops[:, 5:7] / crops[:, 3:5]
    return zoom, (crops[:, 1:3] + 0.5) * zoom - 0.5
