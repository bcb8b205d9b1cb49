"""The weak losses are those of Deng et al., and pull faces to their photos."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import default_face_model
from deep3d.training.weak.augmentation import FaceCrops
from deep3d.training.weak.config import WeakWeights
from deep3d.training.weak.losses import (
    WeakLoss,
    colourfulness,
    even_skin,
    landmark_distance,
    likelihood,
    photometric,
    unevenness,
)

WEIGHTS = WeakWeights(1.92, 1.6e-3, 0, 3e-4, 2.4e-4, 5.1e-6, 5.0, 10.0, 0)


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape)))


def test_colours_are_compared_where_there_is_attention():
    photos, attention = noise(2, 3, 4, 5), torch.zeros(2, 4, 5)
    attention[0, 1, 2], attention[1, 3, 4] = 1.0, 0.5
    pictures = photos.clone()
    pictures[0, :, 1, 2] += torch.tensor([0.3, 0.0, 0.4])
    pictures[1, :, 0, 0] += 9
    assert_allclose(float(photometric(pictures, photos, attention)), (1 * 0.5 + 0.5 * 0) / 1.5, atol=2e-3)
    assert float(photometric(pictures, photos, torch.zeros(2, 4, 5))) == 0


def test_nose_ridge_and_inner_mouth_count_twenty_times():
    points = noise(3, 68, 2)
    alone = torch.zeros(68)
    for k in range(68):
        moved = points.clone()
        moved[:, k, 0] += 2
        alone[k] = landmark_distance(moved, points) * 68 / 4
    expected = np.ones(68)
    expected[28:31] = expected[60:] = 20
    assert_allclose(alone, expected, rtol=1e-4)


def test_likelihood_and_light_are_sums_and_variances():
    vector = torch.zeros(2, 257)
    vector[0, :2], vector[1, 80], vector[:, 150] = 3.0, 2.0, 1.0
    vector[:, 227:236] = 0.6  # red light alone
    face = FaceCoefficients.from_vector(vector)
    assert {name: float(term) for name, term in likelihood(face).items()} == {
        "identity": 9.0,
        "expression": 2.0,
        "albedo": 1.0,
    }
    assert_allclose(float(colourfulness(face.lighting)), 0.08, rtol=1e-5)
    assert float(colourfulness(torch.full((2, 27), 0.3))) < 1e-12


def test_albedo_is_even_where_it_is_one_colour_on_the_skin():
    skin = torch.tensor([1.0, 1.0, 0.0, 1.0])
    albedo = noise(2, 1, 3).repeat(1, 4, 1)
    albedo[:, 2] += 0.5
    assert float(unevenness(albedo, skin)) < 1e-12
    albedo[:, 0, 1] += 0.3
    assert_allclose(float(unevenness(albedo, skin)), (0.2**2 + 2 * 0.1**2) / 3, rtol=1e-4)


def test_lips_and_brows_may_have_colours_of_their_own():
    model = default_face_model()
    chosen = even_skin(model)
    assert chosen[model.landmark_vertices[17:27]].sum() == chosen[model.landmark_vertices[36:]].sum() == 0
    assert chosen[model.landmark_vertices[30]] == 1
    assert 0.1 < chosen.mean() < 0.5


def test_gradient_steps_lead_to_the_photo(drawer, toy_vectors, toy_face_model):
    with torch.no_grad():
        true = drawer(toy_vectors)
    crops = FaceCrops(true.pictures, true.pictures, torch.ones(4, 224, 224), true.landmarks)
    loss = WeakLoss(toy_face_model, WEIGHTS, None)
    guess = torch.zeros(4, 257)
    guess[:, [227, 236, 245]] = 0.3  # too bright
    guess.requires_grad_()
    optimizer = torch.optim.Adam([guess], lr=0.03)
    seen = []
    for _ in range(15):
        terms = loss(drawer(guess), crops)
        optimizer.zero_grad()
        terms["total"].backward()
        optimizer.step()
        seen.append({name: float(term.detach()) for name, term in terms.items()})
    for name in ("total", "photometric", "landmarks"):
        assert seen[-1][name] < 0.5 * seen[0][name]
    assert_allclose(
        seen[0]["total"],
        sum(getattr(WEIGHTS, name) * value for name, value in seen[0].items() if name != "total"),
        rtol=1e-5,
    )


@pytest.mark.parametrize("part", ["pictures", "skin"])
def test_faces_are_drawn_with_gradients(drawer, toy_vectors, part):
    vectors = toy_vectors.clone().requires_grad_()
    getattr(drawer(vectors), part).square().sum().backward()
    assert vectors.grad is not None and bool(torch.isfinite(vectors.grad).all())
    assert float(vectors.grad[:, 224:227].abs().min()) > 0
