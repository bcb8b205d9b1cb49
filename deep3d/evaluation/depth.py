"""How good depth maps and normals of faces are: the field's measures, in millimetres and degrees.

Heights are relative: before all but `offset` is measured, their mean inside the face is made the true one. The scale
invariant error takes out the scale as well (Eigen et al., 2014, on heights), and the delta thresholds are shares of
pixels that are off by less than 1, 2 and 4 mm, for ratios of depths say nothing where all of a face is a metre away.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy import ndimage

from deep3d.dense.maps import SurfaceMaps
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES
from deep3d.synthetic.mapped_heads import SKIN, MappedHeads

THRESHOLDS = (1.0, 2.0, 4.0)  # millimetres
JUMP = 12.0  # millimetres from pixel to pixel: the outline of a nose before a cheek, not the inside of a face
EARS, THROAT = 0.1, 0.15  # decimetres behind the ends of the jaw and below the chin, where a face ends
FEWEST = 200  # pixels of a face that is measured


@dataclass(frozen=True)
class DepthErrors:
    """Of one face, inside of it."""

    mae: float  # millimetres
    rmse: float  # millimetres
    scale_invariant: float  # millimetres rms
    offset: float  # millimetres by which all is too near
    delta1: float  # share of pixels off by less than 1 mm
    delta2: float  # 2 mm
    delta4: float  # 4 mm
    angle: float  # degrees, mean of the normals'
    angle_median: float  # degrees


def head_errors(model: FaceModel, heads: MappedHeads, said: SurfaceMaps) -> list[DepthErrors]:
    """Errors of maps of made-up heads where their skin is seen, between ears, hair and throat; of small faces none."""
    points = model.landmarks(model.mean_shape[None])[0]
    behind, below = points[[0, 16], 2].mean() - EARS, points[8, 1] - THROAT
    errors = []
    for b, true in enumerate(heads.maps.coordinates):
        face = (true[..., 2] > behind) & (true[..., 1] > below) & heads.maps.covered[b] & said.covered[b]
        height = heads.maps.height[b] * MILLIMETRES
        inside = inside_face(face & (heads.classes[b] == SKIN), height)
        found = (said.height[b] * MILLIMETRES, said.normals[b], height, heads.maps.normals[b])
        errors.append(depth_errors(*found, inside))
    return [each for each in errors if each is not None]


def inside_face(face: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Mask (S, S) of the pixels of a face (S, S) that are not beside its border or a jump of heights in millimetres."""
    jump = ndimage.maximum_filter(height, 3) - ndimage.minimum_filter(height, 3) > JUMP
    return np.asarray(ndimage.binary_erosion(face)) & np.logical_not(ndimage.binary_dilation(jump))


def depth_errors(
    height: np.ndarray, normals: np.ndarray, true_height: np.ndarray, true_normals: np.ndarray, mask: np.ndarray
) -> DepthErrors | None:
    """Errors of heights (S, S) in millimetres and unit normals (S, S, 3) inside a mask; None where it is too small."""
    if mask.sum() < FEWEST:
        return None
    error = height[mask].astype(np.float64) - true_height[mask]
    offset = float(error.mean())
    centred = error - offset
    fit = np.column_stack([height[mask], np.ones(len(error))])
    scaled = true_height[mask] - fit @ np.linalg.lstsq(fit, true_height[mask], rcond=None)[0]
    cosine = np.clip((normals[mask] * true_normals[mask]).sum(axis=-1), -1, 1)
    angles = np.degrees(np.arccos(cosine))
    return DepthErrors(
        mae=float(np.abs(centred).mean()),
        rmse=float(np.sqrt((centred**2).mean())),
        scale_invariant=float(np.sqrt((scaled**2).mean())),
        offset=offset,
        **{f"delta{limit:.0f}": float((np.abs(centred) < limit).mean()) for limit in THRESHOLDS},
        angle=float(angles.mean()),
        angle_median=float(np.median(angles)),
    )


def mean_errors(errors: list[DepthErrors]) -> DepthErrors:
    """The mean of each over faces, of the offset that of its size."""
    values = {field.name: [getattr(each, field.name) for each in errors] for field in fields(DepthErrors)}
    values["offset"] = np.abs(values["offset"]).tolist()
    return DepthErrors(**{name: float(np.mean(each)) for name, each in values.items()})
