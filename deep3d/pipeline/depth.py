"""Depth maps of reconstructed faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.dense import DenseEstimator, DenseMaps
from deep3d.reconstruction import Reconstruction


def look_closer(estimator: DenseEstimator, faces: Sequence[Reconstruction]) -> DenseMaps:
    """Maps of the crops of at least one face: depth, normals, places on the model, classes."""
    vectors = np.concatenate([face.coefficients.to_vector() for face in faces])
    crops = np.stack([face.crop.image for face in faces])
    return estimator(crops, FaceCoefficients.from_vector(vectors), [face.camera for face in faces])
