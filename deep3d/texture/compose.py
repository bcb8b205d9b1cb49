"""The texels of a texture: from the photo, otherwise from the mirrored photo, otherwise from the fill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from deep3d.texture.atlas import Atlas, corner_weights
from deep3d.texture.grain import TAIL
from deep3d.texture.sampling import Picture, bilinear
from deep3d.texture.view import View, seen

_STRIPES = 16  # of rows: visible texels take longer, and lie together
_FAINT = np.float32(0.02)  # share of a texel that is too small for another sample of the photo
_OWN, _MIRRORED, _FILL, _GRAIN, _GAIN = 0, 8, 16, 19, 5  # where a vertex's attributes begin, see `_compose_into`


@dataclass(frozen=True)
class Source:
    """Where the photo shows each vertex, or the mirrored one."""

    position: np.ndarray  # (V, 2) float64 in the picture
    depth: np.ndarray  # (V,) decimetres
    angle: np.ndarray  # (V,) float32 weight of the photo where the vertex is visible
    weight: np.ndarray  # (V,) float32 the same, times visibility
    gain: np.ndarray  # (V, 3) float32 factors that the photo needs there

    def at(self, vertices: np.ndarray) -> Source:
        """That of other vertices (V,) at each."""
        parts = self.position, self.depth, self.angle, self.weight, self.gain
        return Source(*(part[vertices] for part in parts))

    def columns(self) -> np.ndarray:
        """(V, 8) float32 all of them."""
        parts = self.position, self.depth, self.angle, self.weight, self.gain
        return np.column_stack(parts).astype(np.float32)


def compose(
    picture: Picture,
    view: View,
    own: Source,
    mirrored: Source,
    fill: np.ndarray,
    grain: np.ndarray,
    triangles: np.ndarray,
    atlas: Atlas,
) -> tuple[np.ndarray, np.ndarray]:
    """Image (S, S, 3) uint8, and weight (S, S) uint8: 255 where the colour is the photo's own, 0 where it is not.

    What neither source shows has the colours `fill` (V, 3), 0..255, with as much `grain` (V,), logarithms.
    `triangles` (T, 3) are the face model's.
    """
    made_up = np.column_stack([fill, grain * (TAIL / 127)]).astype(np.float32)
    attributes = np.concatenate([own.columns(), mirrored.columns(), made_up], axis=1)
    scale, (left, top) = picture.step * view.scale, (picture.origin - [view.left, view.top]) * view.scale
    to_view = np.float32(scale), np.float32(left), np.float32(top)
    size = len(atlas.triangle)
    image, weight = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)

    stripes = iter([slice(size * n // _STRIPES, size * (n + 1) // _STRIPES) for n in range(_STRIPES)])

    def work() -> None:
        for rows in stripes:  # a free thread takes the next
            texels = image[rows], weight[rows], atlas.triangle[rows], atlas.weights[rows], atlas.noise[rows]
            _compose_into(*texels, triangles, attributes, picture.pixels, view.depth, view.trust, to_view)

    with ThreadPoolExecutor(1) as pool:  # this thread works too: waiting for two others would take a seventh longer
        aside = pool.submit(work)
        work()
        aside.result()
    atlas.close_gaps(image)
    atlas.close_gaps(weight)
    return image, weight


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _gained(red, green, blue, attributes, k, place):
    """A colour of the photo with the gains from attribute k on."""
    white = np.float32(255)
    return (
        min(red * _between(attributes, k, place), white),
        min(green * _between(attributes, k + 1, place), white),
        min(blue * _between(attributes, k + 2, place), white),
    )


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _compose_into(image, weight, triangle, weights, noise, triangles, attributes, picture, depth_map, trust, view):
    """Fill some rows of a texture from the same rows of an atlas: colour and photo weight of each texel.

    `attributes` (V, 20) are x and y in the picture, depth, angle, weight and three gains, the same of the mirrored
    vertex, the fill's colours and how much of the `noise` is its grain; most texels need few of them. x and y in the
    picture, times the first number of `view` plus one of the others, are those in the view.
    """
    (scale, dx, dy), one, half, white = view, np.float32(1), np.float32(0.5), np.float32(255)
    for row in range(triangle.shape[0]):
        for column in range(triangle.shape[1]):
            t = triangle[row, column]
            if t < 0:
                continue
            a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
            place, left = (a, b, c, *corner_weights(weights, row, column)), one
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for k in (_OWN, _MIRRORED):
                angle = _between(attributes, k + 3, place)
                if angle > 0 and left > 0:
                    x, y = _between(attributes, k, place), _between(attributes, k + 1, place)
                    share = left
                    # Texels are not tested where all corners of their triangle agree.
                    if min(attributes[a, k + 4], attributes[b, k + 4], attributes[c, k + 4]) < one - _FAINT:
                        depth = _between(attributes, k + 2, place)
                        share *= angle * seen(depth_map, trust, x * scale + dx, y * scale + dy, depth)
                        share = left if left - share < _FAINT else share
                    if share > 0:
                        r, g, b_ = bilinear(picture, x, y)
                        r, g, b_ = _gained(r, g, b_, attributes, k + _GAIN, place)
                        red, green, blue, left = red + share * r, green + share * g, blue + share * b_, left - share
                if k == _OWN:
                    weight[row, column] = np.uint8((one - left) * np.float32(255) + half)
            if left > 0:
                left *= one + noise[row, column] * _between(attributes, _GRAIN, place)
                red += left * _between(attributes, _FILL, place)
                green += left * _between(attributes, _FILL + 1, place)
                blue += left * _between(attributes, _FILL + 2, place)
            image[row, column, 0] = np.uint8(min(red, white) + half)
            image[row, column, 1] = np.uint8(min(green, white) + half)
            image[row, column, 2] = np.uint8(min(blue, white) + half)


@numba.njit(cache=True, nogil=True, inline="always")
def _between(attributes, k, place):
    """Attribute k of (V, K) between three vertices, given them and their barycentric weights."""
    a, b, c, wa, wb, wc = place
    return wa * attributes[a, k] + wb * attributes[b, k] + wc * attributes[c, k]
