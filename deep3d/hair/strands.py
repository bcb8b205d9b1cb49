"""Strands where a photo shows none: noise drawn out along them, with the highlights and shadows of the seen hair.

Curls have no direction that noise could be drawn out along: patches of the seen ones are laid side by side and blended
as their ranks, which keeps the contrast (by-example noise: Heitz and Neyret, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numba
import numpy as np
from scipy import ndimage, special

from deep3d.hair.lookup import value_at
from deep3d.hair.morphology import shrunk, square_in
from deep3d.texture.blur import blur_radius, gaussian

ALONG, AROUND = 192, 1536  # rows of the noise from the crown down, columns round the head
WIDTHS, STRENGTHS = (0.9, 2.0, 5.0), (1.0, 0.55, 0.2)
"""Of locks, columns, and how much each counts: wide ones of even brightness would be stripes."""
LENGTH = 4.5  # rows over which a lock keeps its brightness
SINGLE = 7.0, 1.0  # rows and columns of the single strands in which a border ends
WAVE = 9.0  # columns by which strands wander
LEVELS = 32  # of brightness in a palette
SURELY = 0.85  # of a mask, from which a pixel's colour is hair's
BLUR = 0.06  # decimetres: what changes over less is strands, what changes over more is light
CONTRAST = 1.15  # times the seen contrast, of which a photo's blur has taken some
COHERENCE_BLUR = 2.0  # pixels, over which a direction is looked for
COHERENT = 0.38, 0.46  # mean coherence of curls, and of straight strands as blurred as photos are
CURL = 0.12  # decimetres: curls are smaller, light and shade are larger
LEAST_PATCH = 12  # pixels a side, of a patch of curls
LEAST_PIXELS = 60
GREY = np.full(3, 1 / 3, np.float32)
BRIGHT = 90.0  # percent of the seen hair that are darker than the brightest strand
LARGEST = 0.9  # of a logarithm, that a strand is darker than the hair round it
BRIGHTEST = 0.6  # that it is brighter: through thin hair shines skin


@dataclass(frozen=True)
class Look:
    """How strands differ from the hair round them."""

    palette: np.ndarray  # (LEVELS,) float32 offsets of the logarithm of a colour, from the darkest to the brightest
    curled: float  # in [0, 1]: whether brightness changes as fast along strands as across
    patch: np.ndarray  # (n, n) float32 the curls that are seen, ranks of their brightness as a normal distribution
    pixel: float  # decimetres, of the patch
    brightest: np.ndarray  # (3,) float32 logarithm of a colour that strands are no brighter than


WHITE = np.full(3, np.log(255 + 6), np.float32)
NO_CURLS = np.zeros((2, 2), np.float32)
PLAIN = Look(np.linspace(-0.25, 0.25, LEVELS, dtype=np.float32), 0.0, NO_CURLS, 1.0, WHITE)
"""For hair of which too little is seen."""


@cache
def strand_noise() -> np.ndarray:
    """(2, ALONG, AROUND) float32 in [0, 1), evenly distributed: locks, and single strands.

    The same for every head.
    """
    rng = np.random.default_rng(7)
    straight = np.zeros((ALONG, AROUND))
    for width, strength in zip(WIDTHS, STRENGTHS):
        straight += strength * _unit(_noise(rng, LENGTH * np.sqrt(width), width))
    rows, columns = np.indices((ALONG, AROUND))
    wander = WAVE * _unit(_noise(rng, 20, 30))
    single = _noise(rng, SINGLE[0], SINGLE[1])
    straight, single = (
        ndimage.map_coordinates(each, [rows, columns + wander], order=1, mode="grid-wrap")
        for each in (straight, single)
    )
    return np.stack([_even(straight), _even(single)])


def look_of(colours: np.ndarray, mask: np.ndarray, pixel: float) -> Look:
    """What the strands of the hair in a picture (h, w, 3) of 0..255 are like; pixels are `pixel` decimetres large."""
    size = max(BLUR / pixel, 1.0)
    part = _around(mask > SURELY, blur_radius(max(size, COHERENCE_BLUR)) + 1)
    sure = shrunk(mask[part] > SURELY, 2)
    if sure.sum() < LEAST_PIXELS:
        return PLAIN
    logarithms = np.log(colours[part].astype(np.float32) + 6)
    light = logarithms @ GREY
    blurred = gaussian(np.dstack([light * sure, sure]).astype(np.float32), size)[sure]
    detail = np.clip(light[sure] - blurred[:, 0] / blurred[:, 1], -LARGEST, BRIGHTEST)
    levels = np.array_split(detail[_order(detail)], LEVELS)
    palette = CONTRAST * np.array([level.mean() for level in levels])
    palette -= np.log(np.exp(palette).mean())  # strands leave hair as bright as it is
    brightest = np.percentile(logarithms[sure], BRIGHT, axis=0).astype(np.float32)
    patch = _patch(light, sure, pixel)
    curled = 1 - _coherence(light, sure) if len(patch) >= LEAST_PATCH else 0.0
    return Look(palette.astype(np.float32), curled, patch, pixel, brightest)


def _patch(light: np.ndarray, sure: np.ndarray, pixel: float) -> np.ndarray:
    """(n, n) float32 ranks, as a normal distribution, of brightness (h, w) in the largest square of hair (h, w)."""
    square = square_in(sure)
    size = max(CURL / pixel, 1.0)
    blurred = gaussian(np.dstack([light * sure, sure]).astype(np.float32), size)[square]
    detail = light[square] - blurred[..., 0] / np.maximum(blurred[..., 1], 1e-6)
    return special.ndtri(_even(detail) + 0.5 / detail.size).astype(np.float32) if detail.size else NO_CURLS


def curls(look: Look, texel: float, size: int) -> np.ndarray:
    """(size, size) float32 in [0, 1] the curls of a look over a disk with texels of so many decimetres."""
    if look.curled == 0:
        return np.zeros((size, size), np.float32)
    offsets = np.random.default_rng(11).random((64, 64, 2)).astype(np.float32)
    return special.ndtr(_side_by_side(look.patch, np.float32(texel / look.pixel), offsets, size))


@numba.njit(cache=True, nogil=True)
def _side_by_side(patch, scale, offsets, size):
    """(size, size) patches from offsets (64, 64, 2) in [0, 1), blended over the triangles between their middles."""
    one, result = np.float32(1), np.empty((size, size), np.float32)
    edge = np.float32(len(patch)) / np.float32(3)
    room = np.float32(len(patch) - 1) - 2 * edge
    for i in range(size):
        for j in range(size):
            x, y = np.float32(j) * scale, np.float32(i) * scale
            v = y / (edge * np.float32(0.8660254))
            u = x / edge - np.float32(0.5) * v
            left, top = np.floor(u), np.floor(v)
            fu, fv = u - left, v - top
            far = fu + fv > one
            total, squares = np.float32(0), np.float32(0)
            for k in range(3):
                across, down = left + (k == 1 or (k == 0 and far)), top + (k == 2 or (k == 0 and far))
                if k == 0:
                    share = fu + fv - one if far else one - fu - fv
                else:
                    share = (one - fv if k == 1 else one - fu) if far else (fu if k == 1 else fv)
                offset = offsets[int(down) % 64, int(across) % 64]
                middle_x, middle_y = (across + np.float32(0.5) * down) * edge, down * edge * np.float32(0.8660254)
                column = edge + offset[0] * room + x - middle_x
                row = edge + offset[1] * room + y - middle_y
                total += share * value_at(patch, column, row)
                squares += share * share
            result[i, j] = total / np.sqrt(squares)
    return result


def _around(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of what is in a mask, with a margin of so many pixels; none if nothing is."""
    lines = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    rows, columns = (
        slice(max(line[0] - margin, 0), line[-1] + 1 + margin) if len(line) else slice(0) for line in lines
    )
    return rows, columns


def _order(values: np.ndarray) -> np.ndarray:
    """(N,) indices that sort values (N,) within `LARGEST` of 0, by 16 bits of each: numpy counts those, in no time."""
    steps = (values + LARGEST) * (np.iinfo(np.uint16).max / (2 * LARGEST))
    return np.argsort(np.rint(steps).astype(np.uint16), kind="stable")


def _coherence(light: np.ndarray, sure: np.ndarray) -> float:
    """How far, in [0, 1], brightness changes in one direction alone (structure tensor: Förstner and Gülch, 1987)."""
    down, across = (ndimage.sobel(light, axis) for axis in (0, 1))
    tensor = gaussian(np.dstack([across * across, down * down, across * down]), COHERENCE_BLUR)
    xx, yy, xy = tensor[sure].T
    coherent = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-6)
    return float(np.clip((coherent.mean() - COHERENT[0]) / (COHERENT[1] - COHERENT[0]), 0, 1))


def _noise(rng: np.random.Generator, rows: float, columns: float) -> np.ndarray:
    return ndimage.gaussian_filter(rng.normal(size=(ALONG, AROUND)), (rows, columns), mode="wrap")


def _unit(values: np.ndarray) -> np.ndarray:
    return values / values.std()


def _even(values: np.ndarray) -> np.ndarray:
    """The values by their rank."""
    ranks = np.empty(values.size, np.float32)
    ranks[np.argsort(values, axis=None)] = np.arange(values.size, dtype=np.float32) / values.size
    return ranks.reshape(values.shape)
