"""Depth of other networks in millimetres: a reconstructed face gives it scale and offset.

MiDaS, DPT and Depth Anything give the inverse of depth for the whole photo, up to a scale and an offset (Ranftl et al.,
2020). Those are fitted where the face's mesh is, robustly, for hair and hands may cover it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.dense import PinholeCamera
from deep3d.drawing.maps import depth_map
from deep3d.errors import DepthInvalid
from deep3d.reconstruction import Reconstruction

FEWEST = 200  # pixels of the face that are needed
UNEXPLAINED = 0.75  # of the spread of the face's inverse depths, at most
ROUNDS = 10
TOLERATED = 4.685  # deviations beyond which a pixel does not count (Tukey's biweight): a hand lies far in front
ASPECT = 0.02  # relative difference of the ratios of width to height


@dataclass(frozen=True)
class MetricDepth:
    """A depth map of a photo, and its camera: what `depth_to_mesh` needs."""

    depth: np.ndarray  # (H, W) float32 millimetres along the viewing direction, NaN where the map gives none
    camera: PinholeCamera


def metric_depth(inverse: np.ndarray, face: Reconstruction) -> MetricDepth:
    """The depth that a map (H, W) of relative inverse depth (near is large) of a face's whole photo means.

    The map may be smaller than the photo. Far from the face depths are as good as the map is.

    Raises: DepthInvalid, a ValueError too, if the map is not one of that photo, or of another kind.
    """
    values = np.asarray(inverse)
    if values.ndim != 2 or min(values.shape) < 2 or values.dtype.kind not in "fiu":
        raise DepthInvalid(f"depth map: expected numbers (H, W), got {values.dtype} {values.shape}")
    (rows, columns), (height, width) = values.shape, face.photo.pixels.shape[:2]
    if abs(columns * height / (rows * width) - 1) > ASPECT:
        raise DepthInvalid(
            f"depth map: its {columns} x {rows} pixels do not fit the photo's {width} x {height}; "
            "give the map of the whole, upright photo"
        )
    values = values.astype(np.float64)
    known = _at(depth_map(face, face.photo), rows, columns)
    on_face = (known > 0) & np.isfinite(values)
    if on_face.sum() < FEWEST:
        raise DepthInvalid(f"depth map: {on_face.sum()} of its pixels show the face, {FEWEST} are needed")
    scale, offset = _line(values[on_face], 1 / known[on_face])
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = 1 / (scale * values + offset)
    depth[~(np.isfinite(depth) & (depth > 0))] = np.nan
    return MetricDepth(depth.astype(np.float32), _camera(face, columns / width))


def _line(told: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Scale and offset that take values (N,) to those that are wanted.

    The median slope of pairs (Theil, 1950), then iteratively reweighted least squares.

    Raises: DepthInvalid if they have too little in common.
    """
    other = np.random.default_rng(0).permutation(len(told))
    apart = told != told[other]
    slopes = (wanted - wanted[other])[apart] / (told - told[other])[apart]
    scale = float(np.median(slopes)) if len(slopes) else 0.0
    offset = float(np.median(wanted - scale * told))
    columns = np.column_stack([told, np.ones_like(told)])
    for _ in range(ROUNDS):
        off = np.abs(scale * told + offset - wanted)
        deviation = 1.4826 * np.median(off) + 1e-12
        weights = np.maximum(0, 1 - (off / (TOLERATED * deviation)) ** 2)  # roots of the biweight
        (scale, offset), *_ = np.linalg.lstsq(columns * weights[:, None], wanted * weights, rcond=None)
    spread = np.median(np.abs(wanted - np.median(wanted)))
    if scale <= 0 or np.median(np.abs(scale * told + offset - wanted)) > UNEXPLAINED * spread:
        raise DepthInvalid(
            "depth map: over the face it is not the inverse depth of this photo; near points need large values, "
            "as MiDaS and DPT give them"
        )
    return float(scale), float(offset)


def _at(pixels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The values (H, W) at the middles of a smaller or larger map's pixels, the nearest ones."""
    height, width = pixels.shape
    row = ((np.arange(rows) + 0.5) * height / rows).astype(int)
    column = ((np.arange(columns) + 0.5) * width / columns).astype(int)
    return pixels[row[:, None], column]


def _camera(face: Reconstruction, reduced: float) -> PinholeCamera:
    """The camera of the photo, in pixels of a map that has `reduced` of its pixels in a row."""
    camera = face.camera
    crop = np.diag([camera.focal_length_px, camera.focal_length_px, 1.0])
    crop[:2, 2] = camera.column, camera.row
    return PinholeCamera.of(face.crop.matrix @ crop, reduced)
