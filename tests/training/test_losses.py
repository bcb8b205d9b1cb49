"""The losses are zero at the truth, in the units they say, and pull toward it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.face_model import default_face_model
from deep3d.training.config import LossWeights
from deep3d.training.losses import FaceLoss, dense_terms, similarity_basis, up_to_similarity

WEIGHTS = LossWeights(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)


@pytest.fixture(scope="module")
def loss() -> FaceLoss:
    return FaceLoss(default_face_model(), WEIGHTS)


def vectors(count: int = 3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(0, 0.2, (count, 257)).astype(np.float32))


def test_nothing_is_lost_at_the_truth(loss):
    terms = loss.synthetic(vectors(), vectors())
    assert all(float(term) < 0.02 for term in terms.values())


def test_a_shift_is_told_in_pixels_and_a_turn_in_degrees(loss):
    true = torch.zeros(1, 257)
    moved = true.clone()
    moved[0, 254] = 0.1  # decimetres to the right, about ten from the camera with focal length 1015
    assert 9 < float(loss.synthetic(moved, true)["projection"]) < 12
    turned = true.clone()
    turned[0, 225] = np.radians(3.0)
    assert abs(float(loss.synthetic(turned, true)["pose"]) - 1.0) < 1e-3  # one angle of three


def test_gradient_steps_lead_to_the_truth(loss):
    true = vectors(2)
    guess = torch.zeros(2, 257, requires_grad=True)
    optimizer = torch.optim.Adam([guess], lr=0.02)
    start = float(loss.synthetic(guess, true)["total"].detach())
    for _ in range(60):
        optimizer.zero_grad()
        loss.synthetic(guess, true)["total"].backward()
        optimizer.step()
    assert float(loss.synthetic(guess, true)["total"].detach()) < 0.4 * start


def test_moves_turns_and_sizes_are_taken_out_and_nothing_else():
    points = torch.from_numpy(np.random.default_rng(1).normal(0, 0.5, (300, 3)).astype(np.float32))
    turned = torch.linalg.cross(torch.tensor([0.1, 0.2, -0.1]).expand_as(points), points)
    similarity = (0.05 * points + 0.01 * turned + 0.02)[None]
    bent = torch.zeros_like(similarity)
    bent[0, :40, 2] = 0.03
    basis = similarity_basis(points)
    assert float(up_to_similarity(similarity, basis).abs().max()) < 1e-5
    left = up_to_similarity(bent + similarity, basis)
    assert_allclose(left, up_to_similarity(bent, basis), atol=1e-5)
    assert 0.5 * bent.norm() < left.norm() < bent.norm()


def test_a_uniformly_larger_neutral_head_costs_no_identity(loss):
    """Of the loss itself: the part of an identity that is a similarity is free."""
    model = default_face_model()
    rng = np.random.default_rng(2)
    true, other = torch.zeros(1, 257), torch.zeros(1, 257)
    other[0, :80] = torch.from_numpy(rng.normal(size=80))
    moved = 100 * np.linalg.norm(model.neutral_shape(other[:, :80].numpy()) - model.mean_shape, axis=-1)
    skin = (model.skin > 0.3) & (model.mean_shape[:, 2] > 0)
    assert 0 < float(loss.synthetic(other, true)["identity"]) < moved[:, skin].mean()


def test_a_deviation_is_best_when_it_is_the_error():
    points = torch.zeros(1, 500, 2)
    off = torch.from_numpy(np.random.default_rng(3).normal(0, 2.0, (1, 500, 2)).astype(np.float32))

    def cost(deviation: float) -> float:
        predicted = torch.cat([off, torch.full((1, 500, 1), float(np.log(deviation)))], dim=-1)
        return float(dense_terms(predicted, points)["certainty"])

    assert cost(2.0) < min(cost(1.5), cost(2.7))
    predicted = torch.cat([off, torch.zeros(1, 500, 1)], dim=-1)
    assert_allclose(float(dense_terms(predicted, points)["dense"]), 2.0 * np.sqrt(np.pi / 2), rtol=0.05)  # Rayleigh
