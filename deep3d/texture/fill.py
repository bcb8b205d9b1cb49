"""Colours for what the photo does not show: low frequencies spread over the mesh, without visible borders."""

from __future__ import annotations

import numba
import numpy as np

RELAXATION = np.repeat(np.array([1.95, 1.75], np.float32), [38, 10])
"""Relaxation of each sweep: first strong, to carry colours over a whole hidden back of a head, then weaker."""
DARK = 6.0  # of 255: added before ratios of colours, so that black keeps a finite one
_RUN = 8  # neighbours that are summed without a check: few vertices have more
SURE = 0.5  # weight from which a vertex's colour counts as known


def logarithm(colours: np.ndarray) -> np.ndarray:
    """Logarithm of colours (V, 3), 0..255; a change of light is an offset in it."""
    return np.log(np.maximum(colours, 0) + DARK).astype(np.float32)


def spread(
    values: np.ndarray,
    weight: np.ndarray,
    elsewhere: np.ndarray,
    neighbours: np.ndarray,
    conductance: np.ndarray,
    anchors: np.ndarray | None = None,
    anchor: np.ndarray | None = None,
    pull: np.ndarray | None = None,
) -> np.ndarray:
    """Continue (V, 3) values, known where `weight` is high, over the mesh: smooth, and never beyond the known range.

    Solves Laplace's equation on the vertex graph, `neighbours` and `conductance` (V, valence) of an `Atlas`, by
    successive over-relaxation (Young, 1954). Parts of the mesh without a known vertex keep the values (V, 3) of
    `elsewhere`. Far from known ones, values approach one of the `anchors` (A, 3), with the number `anchor` (V,): it
    counts as one more neighbour, with `pull` (V,) times the weight of all others.
    """
    known = weight > SURE
    count = len(values)
    field = np.where(known[:, None], values, elsewhere).astype(np.float32)
    if anchors is None or anchor is None or pull is None:
        anchors, anchor, pull = np.zeros((1, 3)), np.zeros(count, np.int32), np.zeros(count)
    field = np.concatenate([field, anchors], dtype=np.float32)
    _relax(field, known, neighbours, conductance, count + anchor, pull.astype(np.float32))
    return field[:count]


@numba.njit(cache=True, nogil=True)
def smooth(values, weight, neighbours):
    """Mean of (V, 3) values over each vertex and its neighbours, by weight; untouched where all weights are 0."""
    result = values.copy()
    for v in range(len(values)):
        total, own = np.float32(0), weight[v]
        red, green, blue = own * values[v, 0], own * values[v, 1], own * values[v, 2]
        for n in range(neighbours.shape[1]):
            other = neighbours[v, n]
            if other < 0:
                break
            share = weight[other]
            total += share
            red += share * values[other, 0]
            green += share * values[other, 1]
            blue += share * values[other, 2]
        total += own
        if total > 0:
            result[v, 0], result[v, 1], result[v, 2] = red / total, green / total, blue / total
    return result


@numba.njit(cache=True, nogil=True)
def near_known(weight, neighbours):
    """(V,) bool, whether a vertex or one of its neighbours has a weight."""
    near = weight > 0
    for v in range(len(weight)):
        for n in range(neighbours.shape[1]):
            other = neighbours[v, n]
            if near[v] or other < 0:
                break
            near[v] = weight[other] > 0
    return near


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _relax(field, known, neighbours, conductance, anchor, pull):
    order = _outward(field, known, neighbours)
    runs, others, shares = _equations(order, neighbours, conductance, anchor, pull)
    for step in RELAXATION:
        keep, n = np.float32(1) - step, np.uint32(0)
        for k in range(len(order)):
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for _ in range(runs[k]):
                for m in range(_RUN):
                    other, share = np.uint32(others[n + np.uint32(m)]), shares[n + np.uint32(m)]
                    red += share * field[other, 0]
                    green += share * field[other, 1]
                    blue += share * field[other, 2]
                n = np.uint32(n + np.uint32(_RUN))
            v = np.uint32(order[k])
            field[v, 0] = keep * field[v, 0] + step * red
            field[v, 1] = keep * field[v, 1] + step * green
            field[v, 2] = keep * field[v, 2] + step * blue


@numba.njit(cache=True, nogil=True)
def _equations(order, neighbours, conductance, anchor, pull):
    """Each vertex of `order` as a mean of others: how many runs of `_RUN` numbers and shares it has in one row of them.

    Numbers from V on are the anchors. Runs that are not full end with shares of 0: that costs less than a branch which
    the processor guesses wrong.
    """
    runs = np.empty(len(order), np.int32)
    longest = (neighbours.shape[1] + _RUN) // _RUN
    others = np.zeros(len(order) * longest * _RUN, np.int32)
    shares = np.zeros(len(others), np.float32)
    start = 0
    for k in range(len(order)):
        v, count, total = order[k], 0, np.float32(0)
        while count < neighbours.shape[1] and neighbours[v, count] >= 0:
            total += conductance[v, count]
            count += 1
        total *= np.float32(1) + pull[v]
        for n in range(count):
            others[start + n], shares[start + n] = neighbours[v, n], conductance[v, n] / total
        if pull[v] > 0:
            others[start + count], shares[start + count] = anchor[v], pull[v] / (np.float32(1) + pull[v])
            count += 1
        runs[k] = (count + _RUN - 1) // _RUN
        start += runs[k] * _RUN
    return runs, others, shares


@numba.njit(cache=True, nogil=True)
def _outward(field, known, neighbours):
    """Unknown vertices from the nearest to the farthest from known ones; each starts with the mean of those before."""
    order = np.empty(len(known), np.int32)
    reached, queued = known.copy(), known.copy()
    count = 0
    for v in range(len(known)):
        if known[v]:
            count = _queue_neighbours(v, order, count, queued, neighbours)
    k = 0
    while k < count:
        v = order[k]
        red, green, blue, reachable = np.float32(0), np.float32(0), np.float32(0), 0
        for n in range(neighbours.shape[1]):
            other = neighbours[v, n]
            if other < 0:
                break
            if reached[other]:
                red += field[other, 0]
                green += field[other, 1]
                blue += field[other, 2]
                reachable += 1
        field[v, 0], field[v, 1], field[v, 2] = red / reachable, green / reachable, blue / reachable
        reached[v] = True
        count = _queue_neighbours(v, order, count, queued, neighbours)
        k += 1
    return order[:count].copy()


@numba.njit(cache=True, nogil=True)
def _queue_neighbours(v, order, count, queued, neighbours):
    """Append those neighbours of a vertex to `order` that are not in it yet; how many it has then."""
    for n in range(neighbours.shape[1]):
        other = neighbours[v, n]
        if other < 0:
            break
        if not queued[other]:
            queued[other] = True
            order[count] = other
            count += 1
    return count
