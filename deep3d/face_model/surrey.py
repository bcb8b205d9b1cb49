"""The Surrey Face Model at its resolution of 3,448 vertices, as eos ships it (Huber et al., 2016).

"A multiresolution 3D morphable face model and fitting framework"; shape, six expressions, and UVs, but no colours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deep3d.errors import ExtraMissing, FaceModelInvalid, FaceModelMissing
from deep3d.face_model.foreign import EXPRESSIONS, IDENTITIES, ForeignModel
from deep3d.mesh import MILLIMETRES

SHAPE, BLENDSHAPES = "sfm_shape_3448.bin", "expression_blendshapes_3448.bin"
SKIN = (0.75, 0.57, 0.48)  # sRGB: the file has no colours
CHIN = 33
BROWS_AND_NOSE = (225, 229, 233, 2086, 157, 590, 2091, 666, 662, 658, 2842, 379, 272, 114, 100, 2794, 270, 2797, 537)
EYES = (177, 172, 191, 181, 173, 174, 614, 624, 605, 610, 607, 606)
LIPS = (398, 315, 413, 329, 825, 736, 812, 841, 693, 411, 264, 431)
INNER_LIPS = {61: 416, 62: 423, 63: 828, 65: 817, 66: 442, 67: 404}
LANDMARKS = {8: CHIN} | dict(enumerate(BROWS_AND_NOSE + EYES + LIPS, start=17)) | INNER_LIPS
"""Vertices by landmark: ibug_to_sfm.txt of eos (Apache-2.0), which has no jaw points except the chin."""


def read_surrey(source: Path) -> ForeignModel:
    """The model from a folder with the two files that eos has in `share`.

    Raises: FaceModelMissing naming the missing files, FaceModelInvalid, ExtraMissing without eos-py.
    """
    if missing := [name for name in (SHAPE, BLENDSHAPES) if not (source / name).is_file()]:
        raise FaceModelMissing(f"{source}: {', '.join(missing)} missing; bfm/README.md says where to get them")
    model, blendshapes = _read_by_eos(source)
    shape = model.get_shape_model()
    mean = np.array(shape.get_mean()).reshape(-1, 3) / MILLIMETRES
    identity = np.array(shape.get_rescaled_pca_basis()).T / MILLIMETRES
    expression = np.array([blendshape.deformation for blendshape in blendshapes]) / MILLIMETRES
    triangles = np.array(shape.get_triangle_list(), np.int32)
    uv = np.array(model.get_texture_coordinates(), np.float32)
    if expression.shape[1] != mean.size or len(uv) != len(mean) or len(mean) <= max(LANDMARKS.values()):
        raise FaceModelInvalid(
            f"{source}: {len(mean)} vertices, {len(uv)} UVs, {expression.shape[1] // 3} of the blendshapes; "
            "take both files from the same folder of eos"
        )
    mean = mean - mean.mean(axis=0)
    return ForeignModel(
        name="Surrey Face Model",
        version="sfm_shape_3448",
        licence="Surrey Face Model licence: non-commercial, not to be passed on",
        source="University of Surrey, CVSSP, through eos (Huber et al., 2016); plain skin colour",
        mean_shape=mean.astype(np.float32),
        identity_basis=identity[:IDENTITIES].reshape(-1, *mean.shape).astype(np.float32),
        expression_basis=expression[:EXPRESSIONS].reshape(-1, *mean.shape).astype(np.float32),
        mean_albedo=np.tile(np.array(SKIN, np.float32), (len(mean), 1)),
        albedo_basis=np.zeros((0, *mean.shape), np.float32),
        triangles=triangles,
        landmarks=LANDMARKS,
        uv=(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), triangles),
    )


def _read_by_eos(source: Path) -> tuple[Any, Any]:
    """eos's model and its blendshapes."""
    try:
        import eos  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ExtraMissing("the Surrey Face Model needs eos-py, which is not installed; pip install eos-py") from error
    try:
        model = eos.morphablemodel.load_model(str(source / SHAPE))
        return model, eos.morphablemodel.load_blendshapes(str(source / BLENDSHAPES))
    except Exception as error:  # eos raises all kinds of errors on damaged files
        raise FaceModelInvalid(f"{source}: eos cannot read {SHAPE} and {BLENDSHAPES}; fetch them again") from error
