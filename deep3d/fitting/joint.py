"""Several views of one person: a Gauss-Newton step with shared unknowns, and what all views know together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deep3d.fitting.unknowns import Equations


def joint_steps(equations: Sequence[Equations], shared: np.ndarray) -> list[np.ndarray]:
    """The step (U,) of each view, equal at the `shared` unknowns; each view's own are eliminated first (Schur)."""
    if len(equations) == 1:
        return [equations[0].solve()]
    own = np.setdiff1d(np.arange(len(equations[0].gradient)), shared)
    left, right, eliminated = np.zeros((len(shared),) * 2), np.zeros(len(shared)), []
    for each in equations:
        part, told, solved = _reduced(each, own, shared)
        left += part
        right += told
        eliminated.append(solved)
    together = np.linalg.solve(left, right)
    steps = []
    for solved in eliminated:
        step = np.empty(len(own) + len(shared))
        step[shared], step[own] = together, solved[:, -1] - solved[:, :-1] @ together
        steps.append(step)
    return steps


def joint_covariances(equations: Sequence[Equations], shared: np.ndarray, wanted: np.ndarray) -> list[np.ndarray]:
    """The covariance (W, W) of the `wanted` unknowns (W,) of each view, by what all views know of the `shared` ones."""
    own = np.setdiff1d(np.arange(len(equations[0].gradient)), shared)
    parts = [_reduced(each, own, shared)[0] for each in equations] if len(equations) > 1 else [0.0]
    covariances = []
    for number, each in enumerate(equations):
        normal = each.normal.copy()
        normal[np.ix_(shared, shared)] += sum(parts[:number] + parts[number + 1 :])
        unit = np.zeros((len(normal), len(wanted)))
        unit[wanted, np.arange(len(wanted))] = 1
        covariances.append(np.linalg.solve(normal, unit)[wanted])
    return covariances


def _reduced(equations: Equations, own: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A view's equations (S, S) and (S,) of what is shared, and its own unknowns (O, S + 1) by that."""
    mixed = equations.normal[np.ix_(own, shared)]
    right = np.column_stack([mixed, equations.gradient[own]])
    solved = np.linalg.solve(equations.normal[np.ix_(own, own)], right)
    part = equations.normal[np.ix_(shared, shared)] - mixed.T @ solved[:, :-1]
    return part, equations.gradient[shared] - mixed.T @ solved[:, -1], solved
