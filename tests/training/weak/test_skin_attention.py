"""Where skin is, by the colours of a face."""

import numpy as np
import pytest

from deep3d.training.weak.skin_attention import skin_attention

SKIN, GREY, PAPER = (205, 150, 125), (90, 90, 95), (250, 250, 250)


@pytest.fixture
def face(drawer, toy_vectors) -> tuple[np.ndarray, np.ndarray]:
    """A picture (224, 224, 3) all of skin, grainy, and the landmarks of a face in it."""
    rng = np.random.default_rng(0)
    picture = np.clip(np.array(SKIN) * rng.normal(1, 0.06, (224, 224, 1)), 0, 255).astype(np.uint8)
    return picture, drawer(toy_vectors[:1]).landmarks[0].numpy()


def test_skin_of_the_face_gets_attention_and_what_lies_beside_gets_none(face):
    picture, landmarks = face
    attention = skin_attention(picture, landmarks)
    x, y = landmarks[33].astype(int)
    assert attention.dtype == np.uint8 and attention[y, x] > 200
    assert attention[:, :5].max() == attention[-5:].max() == 0


@pytest.mark.parametrize("colour", [GREY, PAPER, (40, 90, 200)])
def test_what_covers_a_cheek_gets_none(face, colour):
    picture, landmarks = face
    x, y = ((landmarks[2] + landmarks[31]) / 2).astype(int)
    picture[y - 8 : y + 8, x - 8 : x + 8] = colour
    attention = skin_attention(picture, landmarks)
    assert attention[y - 6 : y + 6, x - 6 : x + 6].mean() < 20
    assert attention[attention > 0].mean() > 180


def test_a_face_beside_the_picture_is_taken_on_trust(face):
    picture, landmarks = face
    attention = skin_attention(picture, landmarks + [215, 0])
    assert set(np.unique(attention)) <= {0, 255}
