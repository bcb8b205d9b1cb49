"""From a depth map to a triangle mesh of the visible surface: no skirts at jumps, holes filled on request.

Two triangles for every four neighbouring pixels, along the diagonal on which depth changes less; none where the surface
would be too steep to be seen (the range grid of Turk and Levoy, Zippered polygon meshes, 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from deep3d.camera import Camera
from deep3d.errors import DepthInvalid
from deep3d.mesh import Mesh

STEEPEST = 5.0  # how many pixels' widths depth may change from one pixel to the next: 79 degrees
SMALLEST_PIECE = 0.02  # share of all pixels that a piece of surface needs to stay
LARGEST = 4096  # pixels a side
NARROWEST, WIDEST = 0.004, 12.0  # width over focal length: fields of view of 0.2 and 161 degrees
FARTHEST = 1e30  # so that points are finite in single precision


@dataclass(frozen=True)
class PinholeCamera:
    """The camera of a depth map: focal lengths and principal point in its pixels.

    Raises: DepthInvalid, a ValueError too, if no camera has these.
    """

    focal_x: float
    focal_y: float
    column: float
    row: float

    def __post_init__(self) -> None:
        numbers = (self.focal_x, self.focal_y, self.column, self.row)
        if not all(isinstance(number, Real) and isfinite(number) for number in numbers) or min(numbers[:2]) <= 0:
            raise DepthInvalid("camera: focal lengths must be above 0 and all its numbers finite")

    @classmethod
    def of(cls, camera: Camera | np.ndarray, reduced: float = 1.0) -> PinholeCamera:
        """From this project's camera, or a (3, 3) matrix of intrinsics; a pixel of the map is `reduced` of its pixels.

        Raises: DepthInvalid if the matrix cannot be that of a camera.
        """
        if isinstance(camera, Camera):
            focal = camera.focal_length_px
            numbers = np.array([focal, focal, camera.column, camera.row])
        else:
            try:
                matrix = np.asarray(camera, np.float64)
            except (TypeError, ValueError) as error:
                raise DepthInvalid(f"camera: expected a 3 x 3 matrix of numbers ({error})") from error
            if matrix.shape != (3, 3) or not np.allclose(matrix[2], [0, 0, 1]) or abs(matrix[0, 1]) > 1e-6:
                raise DepthInvalid(
                    "camera: expected a 3 x 3 matrix of intrinsics with last row 0, 0, 1 and no skew; "
                    "give focal lengths and principal point in pixels"
                )
            numbers = np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]])
        return cls(*(float(number) for number in (numbers + [0, 0, 0.5, 0.5]) * reduced - [0, 0, 0.5, 0.5]))

    def unproject(self, depth: np.ndarray) -> np.ndarray:
        """Points (H, W, 3) of depths (H, W) along the viewing direction: x right, y up, z toward the camera at 0."""
        height, width = depth.shape
        across = (np.arange(width) - self.column) / self.focal_x
        up = (self.row - np.arange(height)) / self.focal_y
        return np.stack([across * depth, up[:, None] * depth, -depth], axis=-1)


def depth_to_mesh(
    depth: np.ndarray,
    camera: Camera | PinholeCamera | np.ndarray,
    scale: float | None = None,
    fill_holes: bool = False,
    steepest: float = STEEPEST,
) -> Mesh:
    """The surface that a depth map (H, W) shows, in the depth's unit: x right, y up, z toward the camera at the origin.

    Values that are not finite or not above 0 are holes, and so is what NumPy's masks hide. `scale` is the size of one
    step of the map; a map of whole numbers needs it. `camera` is this project's, a `PinholeCamera`, or a (3, 3) matrix
    of intrinsics, in pixels of the map. With `fill_holes` holes inside the surface are spanned by the smoothest surface
    (a membrane); those at its border stay. Texture coordinates are those of the picture that the map belongs to.

    Raises: DepthInvalid, a ValueError too, if the map has no surface, or the camera cannot have seen it.
    """
    values = _checked(depth, scale)
    lens = camera if isinstance(camera, PinholeCamera) else PinholeCamera.of(camera)
    height, width = values.shape
    if not (-width <= lens.column <= 2 * width and -height <= lens.row <= 2 * height):
        raise DepthInvalid(
            f"camera: its principal point ({lens.column:.0f}, {lens.row:.0f}) is far outside the {width} x {height} "
            "map; give the camera in pixels of the map"
        )
    if not NARROWEST <= width / lens.focal_x <= WIDEST:
        raise DepthInvalid(
            f"camera: its focal length of {lens.focal_x:g} does not fit a map of {width} pixels; give it in such pixels"
        )
    step = steepest * values / max(lens.focal_x, lens.focal_y)
    values = np.where(_large_pieces(values, step), values, np.nan)
    if fill_holes:
        values = _without_holes(values)
        step = steepest * values / max(lens.focal_x, lens.focal_y)
    triangles = _triangles(values, step)
    if not len(triangles):
        raise DepthInvalid("depth map: no neighbouring pixels form a surface; check its scale")
    return _compact(lens.unproject(values), triangles)


def _checked(depth: np.ndarray, scale: float | None) -> np.ndarray:
    """The map in float64 with NaN for holes."""
    depth = depth.filled(0) if isinstance(depth, np.ma.MaskedArray) else np.asarray(depth)
    if depth.ndim != 2 or min(depth.shape) < 2 or max(depth.shape) > LARGEST:
        raise DepthInvalid(f"depth map: expected (H, W) of 2 to {LARGEST} pixels a side, got {depth.shape}")
    if depth.dtype.kind not in "fiu":
        raise DepthInvalid(f"depth map: expected numbers, got {depth.dtype}")
    if depth.dtype.kind in "iu" and scale is None:
        raise DepthInvalid("depth map: whole numbers need a scale; say what one step means, such as scale=0.1")
    if scale is not None and not (isinstance(scale, Real) and isfinite(scale) and scale > 0):
        raise DepthInvalid(f"scale: {scale} is not a number above 0")
    values = depth.astype(np.float64) * (1.0 if scale is None else scale)
    values[~((values > 0) & (values < FARTHEST))] = np.nan
    if np.isnan(values).all():
        raise DepthInvalid("depth map: no pixel of it is a number above 0 that can be a depth; is it the right file?")
    return values


def _large_pieces(values: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Mask (H, W) of pixels in pieces of surface that are not specks; pieces end at jumps."""
    known = ~np.isnan(values)
    height, width = values.shape
    number = np.arange(values.size).reshape(values.shape)
    pairs = []
    for first, second in (
        ((slice(None), slice(0, -1)), (slice(None), slice(1, None))),
        ((slice(0, -1),), (slice(1, None),)),
    ):
        near = np.abs(values[first] - values[second]) <= np.minimum(step[first], step[second])
        pairs.append(np.stack([number[first][near], number[second][near]]))
    joined = np.concatenate(pairs, axis=1)
    graph = sparse.coo_matrix((np.ones(joined.shape[1], bool), tuple(joined)), (height * width, height * width))
    labels = sparse.csgraph.connected_components(graph, directed=False)[1].reshape(values.shape)
    sizes = np.bincount(labels[known], minlength=labels.max() + 1)
    return known & (sizes[labels] >= min(SMALLEST_PIECE * known.sum(), sizes.max()))


def _without_holes(values: np.ndarray) -> np.ndarray:
    """The map with each hole that does not reach its border filled by the solution of Laplace's equation."""
    holes = ndimage.binary_fill_holes(~np.isnan(values)) & np.isnan(values)
    if not holes.any():
        return values
    number = np.full(values.shape, -1)
    number[holes] = np.arange(holes.sum())
    rows, columns = np.nonzero(holes)
    entries, targets = [(np.arange(len(rows)), np.arange(len(rows)), np.full(len(rows), 4.0))], np.zeros(len(rows))
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = number[rows + down, columns + right]
        inner = neighbour >= 0
        entries.append((np.flatnonzero(inner), neighbour[inner], np.full(inner.sum(), -1.0)))
        targets += np.where(inner, 0, np.nan_to_num(values[rows + down, columns + right]))
    row, column, value = (np.concatenate(part) for part in zip(*entries))
    system = sparse.csr_matrix((value, (row, column)), (len(rows), len(rows)))
    filled = values.copy()
    filled[holes] = spsolve(system, targets)
    return filled


def _triangles(values: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(T, 3) pixel numbers, counter-clockwise as the camera sees them, of the pieces that are not too steep."""
    number = np.arange(values.size).reshape(values.shape)
    corners = [number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]]
    a, b, c, d = (corner.ravel() for corner in corners)  # a b over c d
    flat = values.ravel()
    falling = np.nan_to_num(np.abs(flat[a] - flat[d]), nan=np.inf) <= np.nan_to_num(
        np.abs(flat[b] - flat[c]), nan=np.inf
    )
    first = np.where(falling[:, None], np.stack([a, c, d], 1), np.stack([a, c, b], 1))
    second = np.where(falling[:, None], np.stack([a, d, b], 1), np.stack([b, c, d], 1))
    both = np.concatenate([first, second])
    depths = flat[both]
    spread = depths.max(axis=1) - depths.min(axis=1)
    return both[spread <= step.ravel()[both].min(axis=1)]  # comparisons with NaN are false


def _compact(points: np.ndarray, triangles: np.ndarray) -> Mesh:
    """The mesh of the points (H, W, 3) that the triangles use."""
    height, width = points.shape[:2]
    used, corners = np.unique(triangles, return_inverse=True)
    rows, columns = np.divmod(used, width)
    uv = np.stack([(columns + 0.5) / width, 1 - (rows + 0.5) / height], axis=1).astype(np.float32)
    triangles = corners.reshape(-1, 3).astype(np.int32)
    return Mesh(points.reshape(-1, 3)[used].astype(np.float32), triangles, uv, triangles)
