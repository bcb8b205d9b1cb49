"""The colours of a shell: a photo's where one shows the hair, those of its twin on the other side, else strands.

Colours that no photo shows go on smoothly from those that one does, in the light that falls there; strands are
laid over them, with the highlights and shadows of the seen ones. Opacity ends in single strands.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from deep3d.hair.border import STEP, fading
from deep3d.hair.evidence import shown_better_at_twin, surely_grown
from deep3d.hair.fit import NEIGHBOURS, HairFields
from deep3d.hair.grid import COLUMNS, ROWS, UPPER
from deep3d.hair.hats import cloth, front_column, repeated, repeated_column
from deep3d.hair.lookup import grid_at, limited, noise_at, place_in_grid, share_at, step_between
from deep3d.hair.others import all_seen, match, shown_by_others
from deep3d.hair.shell import RADIUS, disk_rows
from deep3d.hair.shown import BARE, CORE, Shown
from deep3d.hair.strands import curls, look_of, strand_noise
from deep3d.texture.fill import DARK, spread
from deep3d.texture.sampling import bilinear

SIZE = 512
PULL = 0.1  # of the usual colour on hair that the only photo does not show, beside what borders on it: bright rims
LIGHTER = (0.3, 0.7)  # of a logarithm, by which the other side's hair is darker: black hair has nothing to show lighter
STRANDS = 0.08  # decimetres by which single strands at a border differ in length
HEAD = (0.2, 0.5)  # of hair or skin in the mask, from where a pixel may show the head, and likely does
NEAR = (0.06, 0.16)  # decimetres inside the border that is near it, and that is not
EAR_ROWS = (26, 33)  # of ears, at which the head ends where it shows through beside hair
NOTHING = -0.15  # decimetres outside the border, beyond which a texel shows no strand


def shell_image(shown: Sequence[Shown], fields: HairFields) -> np.ndarray:
    """(SIZE, SIZE, 4) uint8 over the disk of a shell, in the light of the first photo of several that show it."""
    first = shown[0]
    front = round(front_column(first.head))
    hat = cloth(first.mask, first.places, first.weight)
    matches = [match(first, other) for other in shown[1:]]
    colours, weight = all_seen(shown, matches)
    low = _continued(colours, weight, shown, hat, repeated(front)) + first.light
    own = 1 - shown_better_at_twin(first.head)
    columns = (
        first.positions(),
        own * first.seen,
        low,
        *fading(fields.edge, own * fields.seen),
        1 - hat,
        1 - surely_grown(),
    )
    look = look_of(*first.hair_pixels())
    radii = disk_rows(fields.edge)
    rows_of = np.float32(radii[0] / RADIUS), np.float32((radii[1] - radii[0]) / RADIUS)
    image = np.zeros((SIZE, SIZE, 4), np.uint8)
    paint = (
        np.column_stack(columns).astype(np.float32).reshape(ROWS, COLUMNS, -1),
        first.picture.pixels,
        first.cores(),
        first.to_mask(),
        rows_of,
        shown_by_others(shown, matches, rows_of, SIZE),
        np.float32(front),
        strand_noise(),
        curls(look, STEP / (radii[1] - radii[0]) / SIZE, SIZE),
        look.palette,
        np.float32(look.curled),
        look.brightest,
    )
    with ThreadPoolExecutor(1) as pool:  # this thread works too; rows of the far half of the disk are as many
        aside = pool.submit(_paint, image, 0, SIZE // 2, *paint)
        _paint(image, SIZE // 2, SIZE, *paint)
        aside.result()
    return image


def _continued(
    colours: np.ndarray, weight: np.ndarray, shown: Sequence[Shown], hat: np.ndarray, example: np.ndarray
) -> np.ndarray:
    """Smooth colours (POINTS, 3) without their light, known by `weight` (POINTS,), continued where no photo shows hair.

    As far as there is a hat (POINTS,), the points of `example` (POINTS,) say what photos do not.
    """
    usual = shown[0].usual
    told = hat * weight[example] * (1 - weight)
    count = len(colours)
    return spread(
        np.where((told > weight)[:, None], colours[example], colours),
        np.maximum(told, weight),
        np.tile(usual, (count, 1)),
        NEIGHBOURS.astype(np.int32),
        np.ones((count, 4), np.float32),
        anchors=usual[None],
        anchor=np.zeros(count, np.int32),
        pull=np.full(count, PULL if len(shown) == 1 else 0, np.float32),
    )


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _paint(
    image, first, last, grid, picture, cores, to_core, rows_of, others, front, noise, curls, palette, curled, brightest
):
    """Fill rows of a disk; `grid` (ROWS, COLUMNS, 10): place in the picture, how seen, low logarithms, edge, its
    fade, how far there are strands, and whether the head may be bare.

    On the skull, where the shell lies on the skin, a hairline is as in the photo, be it hair or skin; below, where hair
    hangs free, only hair counts. `cores` (3, h, w) say how surely a pixel may be taken on the skull, and below, and how
    surely it shows bare skin: there, and at the twin of what is not seen, the head itself shows through. `others`
    (size, size, 5) are what other photos show, see `shown_by_others`.
    """
    size, rows, columns = len(image), grid.shape[0], grid.shape[1]
    own, twin = np.zeros(10, np.float32), np.zeros(7, np.float32)
    for i in range(first, last):
        for j in range(size):
            row, azimuth = place_in_grid(i, j, size, rows_of)
            column = azimuth * np.float32(columns)
            if row > rows - 1:
                continue
            core = cores[0] if row < np.float32(UPPER) else cores[1]
            grid_at(grid, row, column, own)
            if own[6] < np.float32(NOTHING):
                # Colours still, which filters of viewers mix in at the border, but few bytes of a file.
                for k in range(3):
                    image[i, j, k] = np.uint8(limited(np.exp(own[3 + k]) - np.float32(DARK)))
                continue
            along = min(row / np.float32(rows), np.float32(1)) * np.float32(noise.shape[1] - 1)
            around = azimuth * np.float32(noise.shape[2])
            lock = noise_at(noise[0], along, around)
            share = share_at(own, core, to_core, np.float32(CORE[0]), np.float32(CORE[1]))
            if share < 1:
                other = np.float32(columns) - column if own[8] > np.float32(0.5) else repeated_column(column, front)
                grid_at(grid, row, other, twin)
            level = lock + curled * (curls[i, j] - lock)
            _colour(image[i, j], own, twin, share, others[i, j], picture, cores[1], to_core, level, palette, brightest)
            opacity = _opacity(own, noise_at(noise[1], along, around)) * (
                np.float32(1) - _bareness(own, twin, share, others[i, j], row, cores, to_core)
            )
            image[i, j, 3] = np.uint8(opacity * np.float32(255) + np.float32(0.49))


@numba.njit(cache=True, nogil=True, inline="always")
def _colour(texel, own, twin, share, others, picture, core, to_core, level, palette, brightest):
    """The photo's colour by its share, those of other photos, that of the twin, and a strand's; what has no share is
    not worked out.

    Strands are no brighter than the seen hair: where light makes all of it bright, there are dark ones alone.

    Of the twin hair alone counts: its skin is lit otherwise, and the head has it.
    """
    one, dark, most = np.float32(1), np.float32(DARK), np.float32(255)
    more, mirror = np.float32(0), np.float32(0)
    if share < one:
        more = (one - share) * others[3] / most
        mirror = (one - share - more) * share_at(twin, core, to_core, np.float32(0.6), np.float32(0.95))
        mirror *= one - step_between(own[4] - twin[4], np.float32(LIGHTER[0]), np.float32(LIGHTER[1]))
    rest = one - share - more - mirror
    photo = bilinear(picture, own[0], own[1]) if share > 0 else (np.float32(0), np.float32(0), np.float32(0))
    mirrored = bilinear(picture, twin[0], twin[1]) if mirror > 0 else photo
    place = min(int(level * len(palette)), len(palette) - 1)
    for k in range(3):
        colour = share * photo[k] + more * others[k]
        if mirror > 0:
            colour += mirror * ((mirrored[k] + dark) * np.exp(own[3 + k] - twin[3 + k]) - dark)
        if rest > 0:
            strand = min(own[8] * palette[place], max(brightest[k] - own[3 + k], np.float32(0)))
            colour += rest * (np.exp(own[3 + k] + strand) - dark)
        texel[k] = np.uint8(limited(colour) + np.float32(0.49))


@numba.njit(cache=True, nogil=True, inline="always")
def _opacity(point, strand):
    """How far the border of the hair, which ends in single strands, covers a point of the grid; hats have a hem."""
    fade = point[7]
    inside = point[6] + point[8] * np.float32(STRANDS) * (strand - np.float32(0.5))
    return step_between(inside, np.float32(-0.5) * fade, np.float32(0.5) * fade)


@numba.njit(cache=True, nogil=True, inline="always")
def _bareness(own, twin, share, others, row, cores, to_core):
    """How far photos show bare skin at a point of the grid, or the first one at the twin of one that all of them hide.

    Near its border, hair that is seen and not surely hair is left to the head, which has the photo's own colours.
    """
    low, high, skin = np.float32(BARE[0]), np.float32(BARE[1]), cores[2]
    above = np.float32(1) - step_between(row, np.float32(EAR_ROWS[0]), np.float32(EAR_ROWS[1]))
    near = above * (np.float32(1) - step_between(own[6], np.float32(NEAR[0]), np.float32(NEAR[1])))
    bare = share_at(own, skin, to_core, low, high)
    if near > 0:
        head = share_at(own, cores[0], to_core, np.float32(HEAD[0]), np.float32(HEAD[1]))
        hair = share_at(own, cores[1], to_core, np.float32(CORE[0]), np.float32(CORE[1]))
        bare = max(bare, near * (head - hair))
    if share < 1:
        unseen = np.float32(1) - own[2]
        bare = max(bare, unseen * others[4] / np.float32(255))
        unseen *= np.float32(1) - (others[3] + others[4]) / np.float32(255)
        bare = max(bare, own[8] * unseen * above * share_at(twin, skin, to_core, low, high))
    return bare * own[9]
