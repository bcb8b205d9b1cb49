import numpy as np
import pytest

from deep3d.material.observed import Observed
from deep3d.texture.hair import scalp


@pytest.fixture
def observe(paint, head):
    """A function that looks at the mean head with hair (V,) and glasses (V,)."""

    def observed(hair, glasses):
        texture = paint().face.unwrapped
        both = np.stack([hair, glasses], axis=1).astype(np.float32)
        return Observed.of(texture, head.face_model, head.vertices, np.zeros(3), np.array([0, 0, 10.0]), both)

    return observed


def test_a_scalp_without_hair_is_skin_on_its_back_too(observe, head):
    top = head.face_model.derived(scalp) > 0.9
    none = np.zeros(len(top))
    assert observe(none, none).bare[top].min() > 0.7
    assert observe(top.astype(float), none).bare[top].max() < 0.25


def test_a_beard_is_hardly_skin(observe, head):
    chin = (head.vertices[:, 1] < -0.5) & (head.normals[:, 2] > 0.5) & (head.face_model.skin > 0.9)
    beard = np.where(chin, 1.0, 0.0)
    seen = observe(beard, np.zeros(len(beard)))
    assert seen.bare[chin & (seen.weight > 0.9)].max() < 0.3


def test_glasses_hide_skin_and_no_eyes(observe, head):
    skin, ones = head.face_model.skin, np.ones(len(head.vertices))
    free = observe(0 * ones, ones).free
    np.testing.assert_allclose(free, 1 - skin, atol=1e-6)
    np.testing.assert_allclose(observe(0 * ones, 0 * ones).free, 1)
