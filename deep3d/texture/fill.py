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
    successive over-relaxation (Young, 1954). Parts of the mesh without a known vertex keep the values (V, 3) of
    `elsewhere`.
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
    ends, others, shares = _equations(order, neighbours, conductance)
    keep, step = np.float32(1 - OVER_RELAXATION), np.float32(OVER_RELAXATION)
    for _ in range(SWEEPS):
        n = 0
        for k in range(len(order)):
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            while n < ends[k]:
                other = others[n]
                red += shares[n] * field[other, 0]
                green += shares[n] * field[other, 1]
                blue += shares[n] * field[other, 2]
                n += 1
            v = order[k]
            field[v, 0] = keep * field[v, 0] + step * red
            field[v, 1] = keep * field[v, 1] + step * green
            field[v, 2] = keep * field[v, 2] + step * blue


@numba.njit(cache=True, nogil=True)
def _equations(order, neighbours, conductance):
    """Each vertex of `order` as a mean of others: numbers and shares in one row, and where each vertex's end in it."""
    ends = np.empty(len(order), np.int32)
    others = np.empty(len(order) * neighbours.shape[1], np.int32)
    shares = np.empty(len(others), np.float32)
    end = 0
    for k in range(len(order)):
        start, total = end, np.float32(0)
        for n in range(neighbours.shape[1]):
            if neighbours[order[k], n] < 0:
                break
            others[end], shares[end] = neighbours[order[k], n], conductance[order[k], n]
            total += shares[end]
            end += 1
        shares[start:end] /= total
        ends[k] = end
    return ends, others, shares


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
