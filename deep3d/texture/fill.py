"""Colours for what the photo does not show: low frequencies carried over the mesh, so that no border stays visible."""

from __future__ import annotations

import numba
import numpy as np

SWEEPS = 80
OVER_RELAXATION = 1.93  # settles a whole unseen back of a head in these sweeps
DARK = 6.0  # of 255: added before ratios of colours, so that black keeps a finite one
SURE = 0.5  # weight from which a vertex's colour is taken as known


def logarithm(colours: np.ndarray) -> np.ndarray:
    """Logarithm of colours (V, 3), 0..255, in which a change of light is an offset."""
    return np.log(np.maximum(colours, 0) + DARK).astype(np.float32)


def spread(
    values: np.ndarray, weight: np.ndarray, elsewhere: np.ndarray, neighbours: np.ndarray, conductance: np.ndarray
) -> np.ndarray:
    """Continue (V, 3) values, known where `weight` is high, over the mesh: smooth, and never beyond the known range.

    Solves Laplace's equation on the vertex graph, `neighbours` and `conductance` (V, valence) of an `Atlas`, by
    successive over-relaxation (Young, 1954). Parts of the mesh
    without a known vertex keep the values (V, 3) of `elsewhere`.
    """
    known = weight > SURE
    field = np.where(known[:, None], values, elsewhere).astype(np.float32)
    _relax(field, known, neighbours, conductance)
    return field


@numba.njit(cache=True, nogil=True)
def smooth(values, weight, neighbours):
    """Mean of (V, C) values over each vertex and its neighbours, by weight; untouched where all weights are 0."""
    result = values.copy()
    for v in range(len(values)):
        share = weight[v]
        for other in neighbours[v]:
            if other < 0:
                break
            share += weight[other]
        if share > 0:
            result[v] *= weight[v] / share
            for other in neighbours[v]:
                if other < 0:
                    break
                for channel in range(values.shape[1]):
                    result[v, channel] += values[other, channel] * (weight[other] / share)
    return result


@numba.njit(cache=True, nogil=True)
def _relax(field, known, neighbours, conductance):
    order = _outward(field, known, neighbours)
    for _ in range(SWEEPS):
        for v in order:
            red, green, blue, total = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for n in range(neighbours.shape[1]):
                other = neighbours[v, n]
                if other < 0:
                    break
                share = conductance[v, n]
                red += share * field[other, 0]
                green += share * field[other, 1]
                blue += share * field[other, 2]
                total += share
            step = np.float32(OVER_RELAXATION)
            field[v, 0] += step * (red / total - field[v, 0])
            field[v, 1] += step * (green / total - field[v, 1])
            field[v, 2] += step * (blue / total - field[v, 2])


@numba.njit(cache=True, nogil=True)
def _outward(field, known, neighbours):
    """Unknown vertices from the nearest to the farthest from known ones; each starts with the mean of those before."""
    order = np.empty(len(field), np.int32)
    reached = known.copy()
    queued = known.copy()
    count = 0
    for v in range(len(field)):
        if known[v]:
            for other in neighbours[v]:
                if other >= 0 and not queued[other]:
                    queued[other] = True
                    order[count] = other
                    count += 1
    k = 0
    while k < count:
        v = order[k]
        for channel in range(field.shape[1]):
            total, reachable = np.float32(0), 0
            for other in neighbours[v]:
                if other >= 0 and reached[other]:
                    total += field[other, channel]
                    reachable += 1
            field[v, channel] = total / reachable
        reached[v] = True
        for other in neighbours[v]:
            if other >= 0 and not queued[other]:
                queued[other] = True
                order[count] = other
                count += 1
        k += 1
    return order[:count].copy()
