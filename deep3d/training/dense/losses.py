"""Losses of depth, normals, places and classes of the pixels of faces, and of their deviations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from deep3d.dense.layers import CONFIDENCES
from deep3d.dense.maps import SURFACE
from deep3d.mesh import MILLIMETRES
from deep3d.training.dense.config import DenseLossWeights

TERMS = ("total", "depth", "offset", "gradient", "normals", "places", "certainty", "classes")
SCALES = 3  # of the gradient term, each twice as coarse as the one before
LOG_DEVIATION = (-3.0, 4.0)
_HIDDEN = 0.25  # of the weight of visible pixels


@dataclass(frozen=True)
class Known:
    """The ground truth of B crops."""

    surface: Tensor  # (B, 7, S, S): height, normal, place
    weight: Tensor  # (B, S, S): weight of a pixel, 0 beside heads
    classes: Tensor  # (B, S, S) int64 sets of classes that a pixel may have, one bit each; 0 where nothing is known


def pixel_weight(head: Tensor, classes: Tensor) -> Tensor:
    """(B, S, S): 1 where skin or glasses show, less where the head is hidden, 0 beside it."""
    seen = (classes == 1) | (classes == 3)
    return head * torch.where(seen, 1.0, _HIDDEN)


def dense_loss(weights: DenseLossWeights, maps: Tensor, known: Known) -> dict[str, Tensor]:
    """The terms for maps (B, 19, S, S) from the network."""
    surface, sure, scores = maps.split([SURFACE, CONFIDENCES, maps.shape[1] - SURFACE - CONFIDENCES], dim=1)
    weight = known.weight
    height, true = surface[:, 0] * MILLIMETRES, known.surface[:, 0] * MILLIMETRES
    error = height - true
    normal = functional.normalize(surface[:, 1:4], dim=1)
    cosine = (normal * known.surface[:, 1:4]).sum(dim=1)
    place = (surface[:, 4:] - known.surface[:, 4:]) * MILLIMETRES
    terms = {
        "depth": _mean((_aligned(height, true, weight) - true).abs(), weight),
        "offset": _mean(error.abs(), weight),
        "gradient": _gradient(error, weight),
        "normals": _mean(1 - cosine, weight),
        "places": _mean(place.abs().sum(dim=1), weight),
        "certainty": _certainty(sure, error, normal - known.surface[:, 1:4], place, weight),
        "classes": _one_of(scores, known.classes),
    }
    total = sum(getattr(weights, name) * term for name, term in terms.items())
    return {"total": torch.as_tensor(total), **terms}


def _aligned(height: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """Heights (B, S, S) at the scale and offset that bring them nearest to the true ones (Ranftl et al., 2020)."""
    share = weight / weight.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    mean, middle = ((share * each).sum(dim=(1, 2), keepdim=True) for each in (height, true))
    spread = (share * (height - mean) ** 2).sum(dim=(1, 2), keepdim=True)
    scale = (share * (height - mean) * (true - middle)).sum(dim=(1, 2), keepdim=True) / spread.clamp(min=1e-2)
    return (height - mean) * scale + middle


def _gradient(error: Tensor, weight: Tensor) -> Tensor:
    """Gradients of errors (B, S, S) in millimetres between pixels, on several scales."""
    total = error.new_zeros(())
    for scale in range(SCALES):
        step = 2**scale
        part, there = error[:, ::step, ::step], weight[:, ::step, ::step]
        across, down = (part[:, :, 1:] - part[:, :, :-1]).abs(), (part[:, 1:] - part[:, :-1]).abs()
        total = total + _mean(across, torch.minimum(there[:, :, 1:], there[:, :, :-1]))
        total = total + _mean(down, torch.minimum(there[:, 1:], there[:, :-1]))
    return total / (2 * SCALES)


def _certainty(sure: Tensor, depth: Tensor, normal: Tensor, place: Tensor, weight: Tensor) -> Tensor:
    """Gaussian negative log-likelihood of detached errors: it trains the deviations, not the predictions.

    Deviations are in millimetres, for normals in radians.
    """
    squares = [depth**2, (normal**2).sum(dim=1) / 2, (place**2).sum(dim=1) / 3]
    total = weight.new_zeros(())
    for log_deviation, square in zip(sure.clamp(*LOG_DEVIATION).unbind(dim=1), squares, strict=True):
        likelihood = log_deviation + 0.5 * square.detach().clamp(max=900.0) * (-2 * log_deviation).exp()
        total = total + _mean(likelihood, weight)
    return total / CONFIDENCES


def _one_of(scores: Tensor, sets: Tensor) -> Tensor:
    """Cross entropy of scores (B, C, S, S) to belong to the set (B, S, S) of classes that a pixel may have."""
    bits = torch.arange(scores.shape[1], device=scores.device)[:, None, None]
    allowed = (sets[:, None] >> bits) & 1 > 0
    known = (sets != 0).float()
    inside = torch.logsumexp(scores.masked_fill(~allowed, -60.0), dim=1)
    return _mean(torch.logsumexp(scores, dim=1) - inside, known)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
