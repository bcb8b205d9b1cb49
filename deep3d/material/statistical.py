"""Stage I: the albedo that the face model's own statistics give for what a photo shows without its light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.material.observed import linear

TRUST = 0.02  # of each vertex's colour: what the model cannot draw is wrong in many together
SPREAD = 0.18  # of logarithms of albedo about the model's
FARTHEST = 2.5  # spreads beyond which vertices count less and less
ROUNDS = 3
EVERY = 3  # vertex that is asked
LEAST = 0.004  # linear albedo
WIDEST = 2.0  # standard deviations that a coefficient may take


@dataclass(frozen=True, eq=False)
class LogAlbedo:
    """A face model's albedo as logarithms of linear light."""

    mean: np.ndarray  # (V, 3) float32
    basis: np.ndarray  # (K, V, 3) float32 for one standard deviation

    @classmethod
    def of(cls, model: FaceModel) -> LogAlbedo:
        """Linearised about the mean."""
        mean = np.clip(model.mean_albedo, 0.02, 1)
        offsets = model.albedo_components.basis.reshape(-1, *mean.shape)
        step = 0.02
        slope = (linear(mean + step) - linear(mean - step)) / (2 * step) / np.maximum(linear(mean), LEAST)
        return cls(np.log(np.maximum(linear(mean), LEAST)), (offsets * slope).astype(np.float32))

    def of_coefficients(self, coefficients: np.ndarray) -> np.ndarray:
        """(V, 3)"""
        return self.mean + np.tensordot(coefficients.astype(np.float32), self.basis, 1)


def fit_albedo(logs: np.ndarray, weight: np.ndarray, skin: np.ndarray, model: FaceModel) -> np.ndarray:
    """Albedo (V, 3) as logarithms relative to the skin's, by logarithms (V, 3) of colours without light.

    `weight` (V,) says how surely each is known, `skin` (V,) is facial skin, whose mean is 0 in the result. The tone is
    not the model's to say: three offsets are free.
    """
    table = model.derived(LogAlbedo.of)
    rows = np.flatnonzero(weight > 0.05)[::EVERY]
    if len(rows) < 100:
        return relative(table.mean, skin)
    basis = table.basis[:, rows]  # (K, P, 3)
    count = len(basis)
    design = np.zeros((len(rows), 3, count + 3), np.float32)
    design[..., :count] = basis.transpose(1, 2, 0)
    design[..., count:] = np.eye(3)
    wanted = logs[rows] - table.mean[rows]
    prior = np.concatenate([np.ones(count), np.full(3, 1e-4)])
    weights, solution = weight[rows].astype(np.float32), np.zeros(count + 3)
    for _ in range(ROUNDS):
        share = np.repeat(weights * TRUST * EVERY / SPREAD**2, 3)[:, None] * design.reshape(-1, count + 3)
        normal = design.reshape(-1, count + 3).T @ share + np.diag(prior)
        solution = np.linalg.solve(normal, share.T @ wanted.ravel())
        residual = np.abs(wanted - design @ solution).mean(axis=1)
        weights = (weight[rows] / (1 + (residual / (FARTHEST * SPREAD)) ** 2) ** 2).astype(np.float32)
    return relative(table.of_coefficients(np.clip(solution[:count], -WIDEST, WIDEST)), skin)


def relative(logs: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Logarithms (V, 3) less their mean over the skin (V,)."""
    share = skin**4 / max(float((skin**4).sum()), 1e-6)
    return (logs - share @ logs).astype(np.float32)
