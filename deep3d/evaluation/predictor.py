"""A reconstructor as a row of the evaluation, and the detector alone for the mean face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from deep3d.detection.detector import FaceDetector
from deep3d.errors import Deep3DError, NoFaceFound
from deep3d.evaluation.mean_face import MeanFace
from deep3d.evaluation.measurement import PredictedLandmarks, PredictedMesh
from deep3d.face_model import FaceModel, read_face_model
from deep3d.mesh import MILLIMETRES
from deep3d.photo import read_photo
from deep3d.pipeline.batch import map_faces
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.reconstruction import Reconstruction

_FITTED = {"none": "", "landmarks": ", fitted", "photometric": ", fitted to colours", "surface": ", and displaced"}


class ReconstructorPredictor:
    """Sends photos through a reconstructor in batches and gives what each measure needs."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        self.reconstructor = reconstructor

    @property
    def name(self) -> str:
        """The checkpoint's name, and the kind of fit."""
        return self.reconstructor.checkpoint.info.name + _FITTED[self.reconstructor.refinement]

    @property
    def face_model(self) -> FaceModel:
        """The reconstructor's."""
        return self.reconstructor.face_model

    def reconstructions(self, photos: Sequence[Path]) -> Iterator[Reconstruction | None]:
        """The largest face of each photo.

        Raises: Deep3DError for a photo that cannot be used.
        """
        for outcome in map_faces(self.reconstructor, photos, lambda number, faces: faces[0]):
            if isinstance(outcome, Deep3DError) and not isinstance(outcome, NoFaceFound):
                raise outcome
            yield None if isinstance(outcome, Deep3DError) else outcome

    def predict_landmarks(self, photos: Sequence[Path]) -> Iterator[PredictedLandmarks | None]:
        """The 68 landmarks of each face, and its yaw."""
        for face in self.reconstructions(photos):
            yield None if face is None else landmarks_of(face)

    def predict_meshes(self, photos: Sequence[Path]) -> Iterator[PredictedMesh | None]:
        """The mesh of each face, as face.obj has it."""
        for face in self.reconstructions(photos):
            yield None if face is None else _mesh(face)

    def predict_person(self, photos: Sequence[Path]) -> PredictedMesh | None:
        """The face of all photos together; None if no photo shows one."""
        try:
            return _mesh(self.reconstructor.same_person([read_photo(photo) for photo in photos]).surest)
        except NoFaceFound:
            return None


def _mesh(face: Reconstruction) -> PredictedMesh:
    model = face.face_model
    landmarks = model.markup.points.nearest
    return PredictedMesh(MILLIMETRES * face.vertices, model.triangles, landmarks, MILLIMETRES * face.neutral_vertices)


def landmarks_of(face: Reconstruction) -> PredictedLandmarks:
    """The landmarks of one face in all placements."""
    return PredictedLandmarks(
        face.landmarks68, face.pose.yaw, contour=face.landmarks68_contour, mediapipe=face.landmarks68_mediapipe
    )


def mean_face(face_model: Path | None = None) -> MeanFace:
    """The mean of a face model, None for the open one, placed by the detector's points: needs no checkpoint.

    Raises: FaceModelError.
    """
    model = read_face_model(face_model)
    return MeanFace(model, partial(detect_five_points, FaceDetector()))


def detect_five_points(detector: FaceDetector, photos: Sequence[Path]) -> Iterator[np.ndarray | None]:
    """The detector's five points (5, 2) of the largest face of each photo, in photo pixels.

    Raises: PhotoError for a photo that cannot be used.
    """
    for path in photos:
        faces = detector.detect([read_photo(path).pixels])[0]
        yield faces[0].landmarks if faces else None
