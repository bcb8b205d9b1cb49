"""The losses are zero at the truth, in the units they say, and pull toward it."""

import numpy as np
import pytest
import torch

from deep3d.face_model import default_face_model
from deep3d.training.config import LossWeights
from deep3d.training.losses import FaceLoss

WEIGHTS = LossWeights(projection=1, identity=1, expression=1, profile=1, pose=1, colour=1, coefficients=1, landmarks=1)


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


def test_size_and_turn_of_the_neutral_head_cost_no_identity(loss):
    """The heads are scaled in the identity's own terms: offsets that are a small similarity transform are free."""
    points = loss._mean
    turned = torch.linalg.cross(torch.tensor([0.1, 0.2, -0.1]).expand_as(points), points)
    free = (0.05 * points + 0.01 * turned + 0.02)[None]
    bent = torch.zeros_like(free)
    bent[0, :200, 2] = 0.03
    assert float(loss._up_to_similarity(free).abs().max()) < 1e-4
    assert float(loss._up_to_similarity(bent).norm()) > 0.5 * float(bent.norm())
