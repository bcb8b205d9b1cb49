"""The Basel Face Model of 2019, of the whole head or of the face: the model of 2017 with more data."""

from __future__ import annotations

from pathlib import Path

from deep3d.face_model.foreign import ForeignModel
from deep3d.face_model.statismo import read_release


def read_bfm2019(source: Path) -> ForeignModel:
    """The model from an HDF5 file of 2019, or from the only one in a folder.

    Raises: FaceModelMissing, FaceModelInvalid, ExtraMissing.
    """
    return read_release(source, 2019, {})
