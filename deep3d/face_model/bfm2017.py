"""The Basel Face Model of 2017 (Gerig et al., 2018, "Morphable face models - an open framework")."""

from __future__ import annotations

from pathlib import Path

from deep3d.face_model.foreign import ForeignModel
from deep3d.face_model.statismo import read_release

WHOLE = 53149  # vertices of model2017-1_bfm_nomouth.h5
CHIN_NOSE_EYES = {8: 47846, 30: 8156, 36: 2602, 39: 5830, 42: 10390, 45: 13481}
LIPS = (5522, 6026, 7355, 8181, 9007, 10329, 10857, 9730, 8670, 8199, 7726, 6898)
INNER_LIPS = (6291, 7364, 8190, 9016, 10088, 8663, 8191, 7719)
LANDMARKS = CHIN_NOSE_EYES | dict(enumerate(LIPS + INNER_LIPS, start=48))
"""Vertices of the whole model by landmark: ibug_to_bfm2017-1_bfm_nomouth.txt of eos (Huber et al., Apache-2.0)."""


def read_bfm2017(source: Path) -> ForeignModel:
    """The model from an HDF5 file of 2017, or from the only one in a folder.

    Raises: FaceModelMissing, FaceModelInvalid, ExtraMissing.
    """
    return read_release(source, 2017, {WHOLE: LANDMARKS})
