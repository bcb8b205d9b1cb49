"""Losses of the regressor: distances between faces in pixels, millimetres and degrees, not between coefficients."""

from __future__ import annotations

import torch
from torch import Tensor

from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.face_model.dense_landmarks import face_region
from deep3d.landmarks import INNER
from deep3d.lighting import irradiance
from deep3d.mesh import MILLIMETRES
from deep3d.regression import LOG_DEVIATION
from deep3d.training.config import LossWeights

SAMPLED_VERTICES = 1200
CPU = torch.device("cpu")


class FaceLoss:
    """Compares coefficient vectors (B, 257) through a sample of the face model's vertices."""

    def __init__(self, model: FaceModel, weights: LossWeights, device: torch.device = CPU) -> None:
        self._weights = weights
        rows = _face_rows(model)
        flat = (torch.as_tensor(rows)[:, None] * 3 + torch.arange(3)).reshape(-1)
        full = model.to_torch(device)
        self._mean = full.mean_shape[rows]
        self._identity = full.identity_basis[:, flat].contiguous()
        self._expression = full.expression_basis[:, flat].contiguous()
        self._mean_albedo = full.mean_albedo[rows]
        self._albedo = full.albedo_basis[:, flat].contiguous()
        self._normals = full.normals(full.mean_shape[None])[:, rows]
        self._model = full
        self._similarities = similarity_basis(self._mean)

    def synthetic(self, predicted: Tensor, true: Tensor) -> dict[str, Tensor]:
        """The terms for heads whose coefficients are known; `total` is their weighted sum."""
        p, t = FaceCoefficients.from_vector(predicted), FaceCoefficients.from_vector(true)
        identity = [(c.identity @ self._identity).unflatten(1, (-1, 3)) for c in (p, t)]
        expression = [(c.expression @ self._expression).unflatten(1, (-1, 3)) for c in (p, t)]
        pixels = [
            project(place(self._mean + identity[k] + expression[k], c.rotation, c.translation))
            for k, c in enumerate((p, t))
        ]
        albedo = [self._mean_albedo + (c.albedo @ self._albedo).unflatten(1, (-1, 3)) for c in (p, t)]
        light = [irradiance(self._normals.expand(len(c), -1, -1), c.lighting) for c in (p, t)]
        shape = up_to_similarity(identity[0] - identity[1], self._similarities)
        terms = {
            "projection": _length(pixels[0] - pixels[1]),
            "identity": MILLIMETRES * _length(shape),
            "expression": MILLIMETRES * _length(expression[0] - expression[1]),
            "profile": MILLIMETRES * shape[..., 2].abs().mean(),
            "pose": torch.rad2deg((p.rotation - t.rotation).abs().mean())
            + 10 * (p.translation - t.translation).abs().mean(),
            "colour": (albedo[0] - albedo[1]).abs().mean() + (albedo[0] * light[0] - albedo[1] * light[1]).abs().mean(),
            "coefficients": (p.identity - t.identity).abs().mean()
            + (p.expression - t.expression).abs().mean()
            + (p.albedo - t.albedo).abs().mean(),
        }
        terms["total"] = sum(getattr(self._weights, name) * term for name, term in terms.items())
        return terms

    def portraits(self, predicted: Tensor, dense: Tensor, landmarks: Tensor) -> Tensor:
        """Distance in crop pixels to reference landmarks (B, 68, 2), less weighted on the jaw; prior of identities.

        For both the face of the coefficients (B, 257) and the dense landmarks (B, N, 3), if N > 0.
        """
        p = FaceCoefficients.from_vector(predicted)
        vertices = place(self._model.shape(p), p.rotation, p.translation)
        distance = _distances(project(self._model.landmarks(vertices)), landmarks)
        if dense.shape[1]:
            distance = distance + _distances(dense[:, :68, :2], landmarks)
        prior = 0.02 * p.identity.square().mean() + 0.2 * torch.relu(-p.expression[:, :53]).mean()
        return distance[:, INNER].mean() + 0.15 * distance[:, : INNER.start].mean() + prior


def dense_terms(predicted: Tensor, points: Tensor, share: Tensor | None = None) -> dict[str, Tensor]:
    """The loss terms of dense landmarks (B, N, 3), as a network predicts them, for true crop pixels (B, N, 2).

    `dense` is the mean distance in crop pixels, `certainty` the negative log-likelihood of a round Gaussian (Wood et
    al., 2022, eq. 1) less its constant. `share` (N,) are the landmarks' weights, None for equal ones.
    """
    squared = (predicted[..., :2] - points).square().sum(dim=-1)
    log_deviation = predicted[..., 2].clamp(*LOG_DEVIATION)
    terms = {
        "dense": squared.add(1e-10).sqrt(),
        "certainty": 2 * log_deviation + 0.5 * squared * torch.exp(-2 * log_deviation),
    }
    if share is None:
        return {name: term.mean() for name, term in terms.items()}
    return {name: (term @ (share / share.sum())).mean() for name, term in terms.items()}


def up_to_similarity(offsets: Tensor, basis: Tensor) -> Tensor:
    """Offsets (B, N, 3) without the part that a similarity transform of the head explains.

    A single photo from an unknown distance does not show that part, and scan-to-mesh error does not count it. `basis`
    is the `similarity_basis` of the N points.
    """
    flat = offsets.flatten(1)
    return (flat - flat @ basis @ basis.T).unflatten(1, (-1, 3))


def similarity_basis(points: Tensor) -> Tensor:
    """Orthonormal basis (N * 3, 7) of infinitesimal similarity transforms of points (N, 3)."""
    centred = points - points.mean(dim=0)
    axes = torch.eye(3, device=points.device)
    moves = [axis.expand_as(centred) for axis in axes]
    turns = [torch.linalg.cross(axis.expand_as(centred), centred) for axis in axes]
    fields = torch.stack([*moves, *turns, centred]).flatten(1)
    return torch.linalg.qr(fields.T).Q


def _distances(points: Tensor, landmarks: Tensor) -> Tensor:
    """(B, 68) between (B, 68, 2) points."""
    return torch.linalg.vector_norm(points - landmarks, dim=-1)


def _length(vectors: Tensor) -> Tensor:
    """Mean Euclidean length, slightly rounded at zero so that its gradient is finite."""
    return vectors.square().sum(dim=-1).add(1e-10).sqrt().mean()


def _face_rows(model: FaceModel) -> list[int]:
    """Vertices of the face proper, evenly thinned: facial skin in front of the ears, above the neck."""
    rows = (face_region(model) & (model.skin > 0.3)).nonzero()[0]
    return rows[:: max(1, len(rows) // SAMPLED_VERTICES)].tolist()
