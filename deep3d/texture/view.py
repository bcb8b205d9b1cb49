"""Visibility of a mesh from the camera: a small depth map, and distances from the nearest silhouette."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from deep3d.camera import clip_space
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.kernels import fronts
from deep3d.texture.background import background
from deep3d.texture.sampling import Picture

VIEW_SIZE = 384  # pixels of the longer side of the depth map
COARSE = 2  # view pixels for one pixel of the search for background
SURROUNDINGS = 0.2  # of the mesh's extent, kept round it
DEPTH_STEP = 0.25  # decimetres between neighbouring pixels that make a full silhouette within the mesh
INNER = 0.6  # share of the margin for such a silhouette, which hides skin and not background
DEPTH_SLACK = np.float32(0.006)  # decimetres behind the depth map: visible up to once, hidden from twice
FARTHEST = np.float32(1e6)  # pixels
MARGIN = (0.02, 0.07)  # decimetres from a silhouette where the photo begins to count and where it counts fully
FACING_FADE = (0.1, 0.34)  # cosines of 84 and 70 degrees between normal and viewing direction, likewise


@dataclass(frozen=True)
class View:
    """The part of the photo that shows the mesh. A photo pixel (x, y) is view pixel (x - left, y - top) * scale."""

    left: float
    top: float
    scale: float
    depth: np.ndarray  # (h, w) float32 decimetres, +inf beside the mesh
    trust: np.ndarray  # (h, w) float32 in [0, 1], 0 near silhouettes

    def part(self, photo: np.ndarray) -> Picture:
        """The part of the photo that the view shows."""
        height, width = self.depth.shape
        right, bottom = (int(start + side / self.scale) + 2 for start, side in ((self.left, width), (self.top, height)))
        return Picture.cut(photo, int(self.left), int(self.top), right, bottom)

    def background(self, photo: np.ndarray, doubt: np.ndarray, pixel: float) -> np.ndarray:
        """Mask (h, w) of view pixels, `pixel` decimetres large, that show what lies behind the head."""
        on_mesh = np.isfinite(self.depth[::COARSE, ::COARSE])
        down, across = (
            np.arange(count) * (COARSE / self.scale) + start
            for count, start in zip(on_mesh.shape, (self.top, self.left))
        )
        colours = self.part(photo).reduce(max(1, int(COARSE / self.scale))).resample(across, down)
        beside = np.pad(~on_mesh, 1, constant_values=True)  # the head beyond the photo is unknown
        inside, outside = (distance_to(mask) * np.float32(pixel * COARSE) for mask in (beside, on_mesh))
        inside = inside[1:-1, 1:-1]
        mask = background(colours, doubt[::COARSE, ::COARSE], inside, outside)
        height, width = self.depth.shape
        return mask.repeat(COARSE, axis=0).repeat(COARSE, axis=1)[:height, :width]


def render_view(
    photo: np.ndarray,
    vertices: np.ndarray,
    pixels: np.ndarray,
    depth: np.ndarray,
    doubt: np.ndarray,
    triangles: np.ndarray,
) -> View:
    """Render the depth map of a mesh for the camera of an (H, W, 3) photo.

    `vertices` (V, 3) are placed, decimetres; `pixels` (V, 2) and `depth` (V,) are their place in the photo, `doubt`
    (V,) is the distance inside the outline, in decimetres, from which they surely show the head.
    """
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    around = SURROUNDINGS * float((high - low).max())
    limits = np.array(photo.shape[1::-1]) - 1
    low, high = np.clip(low - around, 0, limits), np.clip(high + around, 0, limits)
    scale = VIEW_SIZE / max(float((high - low).max()), 1.0)
    width, height = (int(side) + 1 for side in np.ceil((high - low) * scale))
    placed = ((pixels - low) * scale).astype(np.float32)[None]
    triangles = triangles[fronts(placed[0], triangles)]
    rasterizer = CpuRasterizer()
    fragments = rasterizer.rasterize(clip_space(placed, depth[None], (height, width)), triangles, (height, width))
    surface = np.stack([depth, doubt], axis=1).astype(np.float32)[None]
    depth_map, doubt_map = np.moveaxis(rasterizer.interpolate(surface, fragments, triangles)[0], 2, 0)
    on_mesh = fragments.triangle[0] >= 0
    depth_map = np.where(on_mesh, depth_map, np.float32(np.inf))
    some = slice(None, None, 8)  # vertices are enough for the size of a pixel
    spread = (vertices[some, :2] / depth[some, None]).std(axis=0)
    pixel = float(depth[some].mean() * spread.sum() / (placed[0, some].std(axis=0).sum() + 1e-9))  # decimetres
    view = View(float(low[0]), float(low[1]), scale, depth_map, np.zeros_like(depth_map))
    head = on_mesh & ~view.background(photo, doubt_map, pixel)
    trust = smoothstep(_silhouette_distance(depth_map, head, MARGIN[1] / pixel) * pixel, *MARGIN)
    return replace(view, trust=trust.astype(np.float32))


def facing(vertices: np.ndarray, normals: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Cosine (V,) of the angle between the unit normals (V, 3) of placed vertices and the way to the camera."""
    return _facing(vertices.astype(np.float32), normals.astype(np.float32), depth.astype(np.float32))


@numba.njit(cache=True, nogil=True)
def _facing(vertices, normals, depth):
    cosine = np.empty(len(depth), np.float32)
    for v in range(len(depth)):
        x, y, z = -vertices[v, 0], -vertices[v, 1], depth[v]
        along = x * normals[v, 0] + y * normals[v, 1] + z * normals[v, 2]
        cosine[v] = along / np.sqrt(x * x + y * y + z * z)
    return cosine


def angle_weight(cosine: np.ndarray) -> np.ndarray:
    """Weight of the photo by angle: 1 from the front, 0 at grazing angles."""
    return smoothstep(cosine, *FACING_FADE).astype(np.float32)


def seen_vertices(view: View, pixels: np.ndarray, depth: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Weight of the photo for each vertex (V,): 0 hidden or uncertain, 1 surely visible."""
    position = (pixels - [view.left, view.top]) * view.scale
    return _seen_vertices(view.depth, view.trust, position.astype(np.float32), depth.astype(np.float32), angle)


def smoothstep(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """0 up to low, 1 from high on, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def distance_to(mask: np.ndarray) -> np.ndarray:
    """Pixels (h, w) from each pixel to the nearest one of a mask."""
    distance = np.where(mask, 0, FARTHEST).astype(np.float32)
    _chamfer(distance)
    return distance


@numba.njit(cache=True, nogil=True)
def _silhouette_distance(depth, head, farthest):
    """Pixels from each pixel to the nearest silhouette, at most `farthest`; 0 outside `head`.

    Depth steps within the mesh count as silhouettes at a distance, which is larger for smaller steps. The photo's edge
    is none: hair that it cuts is hair up to the edge.
    """
    height, width = depth.shape
    distance = np.zeros((height, width), np.float32)
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for column in range(width):
            if head[row, column]:
                here = depth[row, column]
                before, behind = max(column - 1, 0), min(column + 1, width - 1)
                step = max(
                    max(abs(depth[above, column] - here), abs(depth[below, column] - here)),
                    max(abs(depth[row, before] - here), abs(depth[row, behind] - here)),
                )
                distance[row, column] = farthest * (1 - INNER * min(step / DEPTH_STEP, 1))
    _chamfer(distance)
    return distance


@numba.njit(cache=True, nogil=True)
def _chamfer(distance):
    """Lower each distance to what its neighbours allow, in place: 3 x 3 chamfer distance (Borgefors, 1986)."""
    height, width = distance.shape
    for sweep in range(2):
        step = 1 - 2 * sweep
        for i in range(height):
            row = i if step > 0 else height - 1 - i
            for j in range(width):
                column = j if step > 0 else width - 1 - j
                best = distance[row, column]
                if 0 <= row - step < height:
                    best = min(best, distance[row - step, column] + np.float32(1))
                    if column > 0:
                        best = min(best, distance[row - step, column - 1] + np.float32(1.35))
                    if column < width - 1:
                        best = min(best, distance[row - step, column + 1] + np.float32(1.35))
                if 0 <= column - step < width:
                    best = min(best, distance[row, column - step] + np.float32(1))
                distance[row, column] = best


@numba.njit(cache=True, nogil=True, inline="always")
def seen(depth_map, trust, x, y, depth):
    """Visibility of a point at view pixel (x, y) and a depth: bilinear over four pixels of the map."""
    height, width = depth_map.shape
    zero, one = np.float32(0), np.float32(1)
    if not (x >= 0 and y >= 0 and x < width - 1 and y < height - 1):
        return zero
    column, row = np.uint32(x), np.uint32(y)
    right, below = np.uint32(column + 1), np.uint32(row + 1)
    fx, fy = x - np.float32(column), y - np.float32(row)
    w00, w01, w10, w11 = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
    surface = w00 * depth_map[row, column] + w01 * depth_map[row, right]
    surface += w10 * depth_map[below, column] + w11 * depth_map[below, right]
    if not surface < np.inf:
        return zero
    sure = w00 * trust[row, column] + w01 * trust[row, right]
    sure += w10 * trust[below, column] + w11 * trust[below, right]
    return sure * min(max(np.float32(2) - (depth - surface) / DEPTH_SLACK, zero), one)


@numba.njit(cache=True, nogil=True)
def _seen_vertices(depth_map, trust, position, depth, angle):
    weight = np.zeros(len(depth), np.float32)
    for v in range(len(depth)):
        if angle[v] > 0:
            weight[v] = angle[v] * seen(depth_map, trust, position[v, 0], position[v, 1], depth[v])
    return weight
