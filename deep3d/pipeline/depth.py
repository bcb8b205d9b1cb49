"""A closer look at reconstructed faces, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.dense import DenseEstimator, DenseMaps
from deep3d.reconstruction import Reconstruction


def look_closer(estimator: DenseEstimator, faces: Sequence[Reconstruction]) -> DenseMaps:
    """What each pixel of the crops of faces shows: depth, normals, places on the model, classes; at least one face."""
    vectors = np.concatenate([face.coefficients.to_vector() for face in faces])
    crops = np.stack([face.crop.image for face in faces])
    return estimator(crops, FaceCoefficients.from_vector(vectors), [face.camera for face in faces])
