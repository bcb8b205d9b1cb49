"""A reconstructor as a row of the evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from deep3d.evaluation.landmarks import PredictedLandmarks
from deep3d.evaluation.scans import PredictedMesh
from deep3d.face_model import FaceModel
from deep3d.photo import read_photo
from deep3d.reconstruct import Reconstructor
from deep3d.reconstruction import Reconstruction

BATCH = 16
MILLIMETRES = 100.0  # per decimetre


class ReconstructorPredictor:
    """Feeds photos to a reconstructor in batches and hands out what each measure needs."""

    def __init__(self, reconstructor: Reconstructor) -> None:
        self._reconstructor = reconstructor

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return self._reconstructor.checkpoint.info.name

    @property
    def face_model(self) -> FaceModel:
        """The reconstructor's."""
        return self._reconstructor.face_model

    def reconstructions(self, photos: Sequence[Path]) -> Iterator[Reconstruction | None]:
        """The largest face of each photo."""
        for start in range(0, len(photos), BATCH):
            batch = [read_photo(path) for path in photos[start : start + BATCH]]
            for faces in self._reconstructor.reconstruct(batch):
                yield faces[0] if faces else None

    def predict_landmarks(self, photos: Sequence[Path]) -> Iterator[PredictedLandmarks | None]:
        """The 68 landmarks of each face, and its yaw."""
        for face in self.reconstructions(photos):
            yield None if face is None else PredictedLandmarks(face.landmarks68, face.pose.yaw)

    def predict_meshes(self, photos: Sequence[Path]) -> Iterator[PredictedMesh | None]:
        """The mesh of each face, as face.obj has it."""
        model = self.face_model
        for face in self.reconstructions(photos):
            yield (
                None
                if face is None
                else PredictedMesh(MILLIMETRES * face.vertices, model.triangles, model.landmark_vertices)
            )

    def detect_five_points(self, photos: Sequence[Path]) -> Iterator[np.ndarray | None]:
        """The detector's five points of each face."""
        for face in self.reconstructions(photos):
            yield None if face is None else face.detection.landmarks
