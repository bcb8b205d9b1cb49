"""The colours of a shell: the photo where it shows the hair, the photo of its twin on the other side, else strands.

Colours that the photo does not show go on smoothly from those that it does, in the light that falls there; strands are
laid over them, with the highlights and shadows of the seen ones. Opacity ends in single strands.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from scipy import ndimage

from deep3d.hair.fit import GROWN, NEIGHBOURS, HairFields, surely_grown
from deep3d.hair.grid import COLUMNS, ROWS, UPPER
from deep3d.hair.hats import cloth, front_column, repeated, repeated_column
from deep3d.hair.head import Head
from deep3d.hair.light import light_on_hair, light_on_skin, normals_of
from deep3d.hair.mask import HairMask, sampled
from deep3d.hair.shell import FADE, RADIUS, disk_rows
from deep3d.hair.strands import look_of, strand_noise
from deep3d.texture.blur import gaussian
from deep3d.texture.fill import DARK, SURE, logarithm, spread
from deep3d.texture.sampling import Picture, bilinear, resampled
from deep3d.texture.view import smoothstep

SIZE = 512
FACING = (0.3, 0.6)  # cosines between the shell's normal and the view, where the photo begins to count and fully does
HIDDEN = 0.06  # decimetres behind the head
CORE = (0.5, 0.72)  # of the mask: from where the photo's colour begins to be hair's and surely is
BARE = (0.5, 0.8)  # of skin in the mask: from where the shell begins to let it through and surely does
BLUR = 2.5  # mask pixels, of the colours that are continued
PULL = 0.1  # of the usual colour on unseen hair
UNSEEN_FADE = 1.0  # times that hair fades out more gradually where the photo does not show its border
LIGHTER = (0.3, 0.7)  # of a logarithm, by which the other side's hair is darker: black hair has nothing to show lighter
FINER = 2  # pixels, for one of the mask, at which strands are looked at
NOTHING = -0.15  # decimetres outside the border, beyond which a texel shows no strand


def shell_image(photo: np.ndarray, mask: HairMask, fields: HairFields, head: Head, outer: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE, 4) uint8 over the disk of a shell whose outer side is (POINTS, 3) points."""
    places, depth = head.to_mask(outer)
    picture = _part(photo, mask)
    small = colours_of(photo, mask)
    core = ndimage.minimum_filter(mask.hair, 3) * mask.inside
    seen = _seen(mask, head, outer, places, depth)
    weight = seen * smoothstep(sampled(core, places), *CORE)
    hat, front = cloth(mask, places, weight), round(front_column(head))
    low = _low(small, core, places, weight, outer, light_on_skin(small, mask, head), hat, repeated(front))
    fine = picture.reduce(max(1, round(mask.step / picture.step / FINER)))
    scalp = np.maximum(core, ndimage.minimum_filter(mask.hair + mask.skin, 3) * mask.inside)
    look = look_of(fine.pixels, _on_pixels_of(fine, core * (1 - mask.hat), mask), fine.step / mask.step / mask.density)
    position = picture.positions(places * mask.step + mask.origin)
    bare = ~surely_grown()
    attributes = np.column_stack([position, seen, low, fields.edge, fields.seen, 1 - hat, bare]).astype(np.float32)
    scale = np.float32(picture.step / mask.step)
    shift = ((picture.origin - mask.origin) / mask.step).astype(np.float32)
    radii = disk_rows(fields.edge)
    first, spacing = radii[0] / RADIUS, (radii[1] - radii[0]) / RADIUS
    image = np.zeros((SIZE, SIZE, 4), np.uint8)
    paint = (
        attributes.reshape(ROWS, COLUMNS, -1),
        picture.pixels,
        np.stack([scalp, core, _bare(mask)]).astype(np.float32),
        (scale, shift[0], shift[1]),
        (np.float32(first), np.float32(spacing)),
        np.float32(front),
        strand_noise(),
        look.palette,
        np.float32(look.curled),
        look.brightest,
    )
    with ThreadPoolExecutor(1) as pool:  # this thread works too; rows of the far half of the disk are as many
        aside = pool.submit(_paint, image, 0, SIZE // 2, *paint)
        _paint(image, SIZE // 2, SIZE, *paint)
        aside.result()
    return image


def _part(photo: np.ndarray, mask: HairMask) -> Picture:
    """The part of the photo that the mask is of, as fine as the shell's texels."""
    height, width = photo.shape[:2]
    size = np.array(mask.hair.shape[::-1]) * mask.step
    left, top = np.clip(mask.origin, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(mask.origin + size, [left + 1, top + 1], [width, height]).astype(int)
    return Picture.cut(photo, left, top, right, bottom).reduce(max(1, int(mask.step / 3)))


def _on_pixels_of(picture: Picture, values: np.ndarray, mask: HairMask) -> np.ndarray:
    """Bilinear values of a mask's pixels (h, w) at those of a picture, float32; borders go on outside."""
    across, down = (
        (picture.step * np.arange(count) + start) / mask.step
        for count, start in zip(picture.pixels.shape[1::-1], picture.origin - mask.origin)
    )
    return resampled(values[..., None], across, down)[..., 0]


def colours_of(photo: np.ndarray, mask: HairMask) -> np.ndarray:
    """(h, w, 3) float32 colours of the mask's pixels."""
    down, across = (np.arange(count) * mask.step + start for count, start in zip(mask.hair.shape, mask.origin[::-1]))
    picture = _part(photo, mask)
    return picture.reduce(max(1, round(mask.step / picture.step))).resample(across, down)


def _bare(mask: HairMask) -> np.ndarray:
    """(h, w) float32: how far pixels show skin and no hair, also of their neighbours."""
    return ndimage.minimum_filter(mask.skin * (1 - mask.hair), 3) * mask.inside


def _seen(mask: HairMask, head: Head, outer: np.ndarray, places: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(POINTS,) how well the photo would show each point of the outer side."""
    facing = (normals_of(outer) * head.view(outer)).sum(axis=1)
    inside = sampled(mask.inside.astype(np.float32), places) > 0.9
    behind = depth > ndimage.map_coordinates(head.depth, places[:, ::-1].T, order=0, mode="nearest") + HIDDEN
    return (smoothstep(facing, *FACING) * inside * ~behind).astype(np.float32)


def _low(
    small: np.ndarray,
    core: np.ndarray,
    places: np.ndarray,
    weight: np.ndarray,
    outer: np.ndarray,
    on_skin: np.ndarray,
    hat: np.ndarray,
    example: np.ndarray,
) -> np.ndarray:
    """Logarithms (POINTS, 3) of smooth colours, continued where the photo shows no hair: without its light, then in it.

    `on_skin` (3,) is how the light falls on skin. As far as there is a hat (POINTS,), the points of `example` (POINTS,)
    say what the photo does not.
    """
    sure = smoothstep(core, *CORE)
    weighted = gaussian(np.dstack([small, np.ones_like(sure)]) * sure[..., None], BLUR)
    blurred = weighted[..., :3] / (weighted[..., 3:] + 1e-4)
    seen = logarithm(np.stack([sampled(blurred[..., k], places) for k in range(3)], axis=1))
    light = light_on_hair(seen.mean(axis=1), weight, outer, on_skin)[:, None]
    known, mean = weight > SURE, logarithm((small * sure[..., None]).sum(axis=(0, 1)) / max(float(sure.sum()), 1e-3))
    usual = np.median((seen - light)[known], axis=0) if known.any() else mean  # neither gloss nor bright rims
    count = len(places)
    own, told = (seen - light).astype(np.float32), hat * weight[example] * (1 - weight)
    even = spread(
        np.where((told > weight)[:, None], own[example], own),
        np.maximum(told, weight),
        np.tile(usual, (count, 1)),
        NEIGHBOURS.astype(np.int32),
        np.ones((count, 4), np.float32),
        anchors=usual[None],
        anchor=np.zeros(count, np.int32),
        pull=np.full(count, PULL, np.float32),
    )
    return even + light


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _paint(image, first, last, grid, picture, cores, to_core, rows_of, front, noise, palette, curled, brightest):
    """Fill rows of a disk; `grid` (ROWS, COLUMNS, 10): place in the picture, how seen, low logarithms, edge, how
    sure, how far there are strands, and whether the head may be bare.

    On the skull, where the shell lies on the skin, a hairline is as in the photo, be it hair or skin; below, where hair
    hangs free, only hair counts. `cores` (3, h, w) say how surely a pixel may be taken on the skull, and below, and how
    surely it shows bare skin: there, and at the twin of what is not seen, the head itself shows through.
    """
    size, half = len(image), np.float32(len(image)) / np.float32(2)
    rows, columns = grid.shape[0], grid.shape[1]
    turn = np.float32(1 / (2 * np.pi))
    own, twin = np.zeros(10, np.float32), np.zeros(7, np.float32)
    for i in range(first, last):
        for j in range(size):
            x, y = (np.float32(j + 0.5) - half) / half, (half - np.float32(i + 0.5)) / half  # v runs up
            radius = np.sqrt(x * x + y * y) / np.float32(2 * 0.49)
            row = (radius - rows_of[0]) / rows_of[1]
            azimuth = np.arctan2(-x, y) * turn  # 0 where the first column is
            azimuth = azimuth if azimuth >= 0 else azimuth + np.float32(1)
            column = azimuth * np.float32(columns)
            if row > rows - 1:
                continue
            core = cores[0] if row < np.float32(UPPER) else cores[1]
            _at(grid, row, column, own)
            if own[6] < np.float32(NOTHING):
                # Colours still, which filters of viewers mix in at the border, but few bytes of a file.
                for k in range(3):
                    image[i, j, k] = np.uint8(_limited(np.exp(own[3 + k]) - np.float32(DARK)))
                continue
            along = min(row / np.float32(rows), np.float32(1)) * np.float32(noise.shape[1] - 1)
            around = azimuth * np.float32(noise.shape[2])
            lock = _noise(noise[0], along, around)
            share = _share(own, core, to_core, np.float32(CORE[0]), np.float32(CORE[1]))
            if share < 1:
                other = np.float32(columns) - column if own[8] > np.float32(0.5) else repeated_column(column, front)
                _at(grid, row, other, twin)
            level = lock + curled * (_noise(noise[1], along, around) - lock)
            _colour(image[i, j], own, twin, share, picture, cores[1], to_core, level, palette, brightest)
            opacity = _opacity(own, lock) * (np.float32(1) - _bareness(own, twin, share, row, cores[2], to_core))
            image[i, j, 3] = np.uint8(opacity * np.float32(255) + np.float32(0.49))


@numba.njit(cache=True, nogil=True, inline="always")
def _colour(texel, own, twin, share, picture, core, to_core, level, palette, brightest):
    """The photo's colour by its share, that of the twin, and a strand's; what has no share is not worked out.

    Strands are no brighter than the seen hair: where light makes all of it bright, there are dark ones alone.

    Of the twin hair alone counts: its skin is lit otherwise, and the head has it.
    """
    one, dark = np.float32(1), np.float32(DARK)
    other = np.float32(0)
    if share < one:
        other = (one - share) * _share(twin, core, to_core, np.float32(0.6), np.float32(0.95))
        other *= one - _step(own[4] - twin[4], np.float32(LIGHTER[0]), np.float32(LIGHTER[1]))
    rest = one - share - other
    photo = bilinear(picture, own[0], own[1]) if share > 0 else (np.float32(0), np.float32(0), np.float32(0))
    mirrored = bilinear(picture, twin[0], twin[1]) if other > 0 else photo
    place = min(int(level * len(palette)), len(palette) - 1)
    for k in range(3):
        colour = share * photo[k]
        if other > 0:
            colour += other * ((mirrored[k] + dark) * np.exp(own[3 + k] - twin[3 + k]) - dark)
        if rest > 0:
            strand = min(own[8] * palette[place, k], max(brightest[k] - own[3 + k], np.float32(0)))
            colour += rest * (np.exp(own[3 + k] + strand) - dark)
        texel[k] = np.uint8(_limited(colour) + np.float32(0.49))


@numba.njit(cache=True, nogil=True, inline="always")
def _opacity(point, lock):
    """How far the border of the hair, which ends in single strands, covers a point of the grid; hats have a hem."""
    fade = np.float32(FADE) * (np.float32(1) + np.float32(UNSEEN_FADE) * (np.float32(1) - point[7]))
    return _step(point[6] + point[8] * fade * (lock - np.float32(0.5)), np.float32(-0.5) * fade, np.float32(0.5) * fade)


@numba.njit(cache=True, nogil=True, inline="always")
def _bareness(own, twin, share, row, skin, to_core):
    """How far the photo shows bare skin at a point of the grid, or at the twin of one above the ears that it hides."""
    low, high = np.float32(BARE[0]), np.float32(BARE[1])
    bare = _share(own, skin, to_core, low, high)
    if share < 1 and row < np.float32(GROWN[1]):
        bare = max(bare, own[8] * (np.float32(1) - own[2]) * _share(twin, skin, to_core, low, high))
    return bare * own[9]


@numba.njit(cache=True, nogil=True, inline="always")
def _share(point, core, to_core, low, high):
    """How far the photo shows hair at a point of the grid."""
    column, row = point[0] * to_core[0] + to_core[1], point[1] * to_core[0] + to_core[2]
    return point[2] * _step(_value(core, column, row), low, high)


@numba.njit(cache=True, nogil=True, inline="always")
def _limited(colour):
    return min(max(colour, np.float32(0)), np.float32(255))


@numba.njit(cache=True, nogil=True, inline="always")
def _step(x, low, high):
    t = min(max((x - low) / (high - low), np.float32(0)), np.float32(1))
    return t * t * (np.float32(3) - np.float32(2) * t)


@numba.njit(cache=True, nogil=True, inline="always")
def _at(grid, row, column, out):
    """The first attributes of a grid between its points, as many as there is room for."""
    top, below, fy = _between(row, grid.shape[0])
    left, right, fx = _round(column, grid.shape[1])
    one = np.float32(1)
    for k in range(len(out)):
        above = grid[top, left, k] + fx * (grid[top, right, k] - grid[top, left, k])
        under = grid[below, left, k] + fx * (grid[below, right, k] - grid[below, left, k])
        out[k] = (one - fy) * above + fy * under


@numba.njit(cache=True, nogil=True, inline="always")
def _noise(noise, row, column):
    top, below, fy = _between(row, noise.shape[0])
    left, right, fx = _round(column, noise.shape[1])
    above = noise[top, left] + fx * (noise[top, right] - noise[top, left])
    under = noise[below, left] + fx * (noise[below, right] - noise[below, left])
    return above + fy * (under - above)


@numba.njit(cache=True, nogil=True, inline="always")
def _between(row, rows):
    """The two rows about one, which ends at the first and last, and the share of the second."""
    row = min(max(row, np.float32(0)), np.float32(rows - 1))
    top = min(np.uint32(row), np.uint32(rows - 2))
    return top, np.uint32(top + 1), row - np.float32(top)


@numba.njit(cache=True, nogil=True, inline="always")
def _round(column, columns):
    """The two columns about one from 0 to `columns`, which is the first again, and the share of the second.

    No remainders: divisions would take half of the time of a picture.
    """
    left = np.uint32(column)
    share = column - np.float32(left)
    left = left if left < columns else np.uint32(left - columns)
    right = np.uint32(left + 1)
    return left, right if right < columns else np.uint32(0), share


@numba.njit(cache=True, nogil=True, inline="always")
def _value(values, x, y):
    height, width = values.shape
    x = min(max(x, np.float32(0)), np.float32(width - 1.001))
    y = min(max(y, np.float32(0)), np.float32(height - 1.001))
    column, row = np.uint32(x), np.uint32(y)  # numba checks signed indices for negative values
    fx, fy = x - np.float32(column), y - np.float32(row)
    above = values[row, column] + fx * (values[row, column + 1] - values[row, column])
    below = values[row + 1, column] + fx * (values[row + 1, column + 1] - values[row + 1, column])
    return above + fy * (below - above)
