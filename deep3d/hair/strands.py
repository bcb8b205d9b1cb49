"""Strands where a photo shows none: noise drawn out along them, with the highlights and shadows of the seen hair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from deep3d.hair.morphology import shrunk
from deep3d.texture.blur import blur_radius, gaussian

ALONG, AROUND = 192, 1536  # rows of the noise from the crown down, columns round the head
WIDTHS, STRENGTHS = (0.9, 2.0, 5.0), (1.0, 0.55, 0.2)
"""Of locks, columns, and how much each counts: wide ones of even brightness would be stripes."""
LENGTH = 4.5  # rows over which a lock keeps its brightness
SINGLE = 7.0, 1.0  # rows and columns of the single strands in which a border ends
CURL_ROWS, CURL_COLUMNS = 1.2, 5.0  # the same of curls, whose brightness changes as fast along as across
WAVE = 9.0  # columns by which strands wander
LEVELS = 32  # of brightness in a palette
SURELY = 0.85  # of a mask, from which a pixel's colour is hair's
BLUR = 0.06  # decimetres: what changes over less is strands, what changes over more is light
CONTRAST = 1.15  # times the seen contrast, of which a photo's blur has taken some
COHERENCE_BLUR = 2.0  # pixels, over which a direction is looked for
COHERENT = 0.15, 0.45  # mean coherence of curls, and of straight strands as blurred as photos are
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
    brightest: np.ndarray  # (3,) float32 logarithm of a colour that strands are no brighter than


WHITE = np.full(3, np.log(255 + 6), np.float32)
PLAIN = Look(np.linspace(-0.25, 0.25, LEVELS, dtype=np.float32), 0.3, WHITE)
"""For hair of which too little is seen."""


@cache
def strand_noise() -> np.ndarray:
    """(3, ALONG, AROUND) float32 in [0, 1), evenly distributed: straight locks, curls, and single strands.

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
    curls = _unit(_noise(rng, CURL_ROWS, CURL_COLUMNS)) + 0.7 * _unit(_noise(rng, 3 * CURL_ROWS, 3 * CURL_COLUMNS))
    return np.stack([_even(straight), _even(curls), _even(single)])


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
    return Look(palette.astype(np.float32), 1 - _coherence(light, sure), brightest)


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
