import numpy as np

from deep3d.hair.guided import Guide
from deep3d.hair.mask import HAIR, SKIN, _joined, _prior, _refined


def naive_guided(picture, mask, radius, smoothness):
    """Equation by equation for one-coloured windows (He, Sun and Tang, 2010, section 3)."""
    size = picture.shape[:2]
    padded = [
        np.pad(each, [(radius, radius), (radius, radius), (0, 0)], mode="edge") for each in (picture, mask[..., None])
    ]
    slopes, offsets = np.zeros((*size, 3)), np.zeros(size)
    for row in range(size[0]):
        for column in range(size[1]):
            window = [
                each[row : row + 2 * radius + 1, column : column + 2 * radius + 1].reshape(-1, each.shape[2])
                for each in padded
            ]
            mean = window[0].mean(axis=0)
            covariance = (window[0] - mean).T @ (window[0] - mean) / len(window[0])
            shared = (window[0] * window[1]).mean(axis=0) - mean * window[1].mean()
            slopes[row, column] = np.linalg.solve(covariance + smoothness * np.eye(3), shared)
            offsets[row, column] = window[1].mean() - slopes[row, column] @ mean
    return slopes, offsets


def test_guided_filter_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    picture, mask = rng.random((14, 15, 3)), rng.random((14, 15))
    slopes, offsets = naive_guided(picture, mask, 2, 0.01)
    filtered = Guide(picture, 2, 0.01)(mask)
    for row, column in ((5, 6), (7, 8)):
        window = slice(row - 2, row + 3), slice(column - 2, column + 3)
        expected = slopes[window].mean(axis=(0, 1)) @ picture[row, column] + offsets[window].mean()
        assert abs(filtered[row, column] - np.clip(expected, 0, 1)) < 1e-3


def test_colours_correct_a_rough_prior():
    colours = np.full((80, 80, 3), (0.1, 0.4, 0.8), np.float32)  # wall
    colours[20:70, 25:55] = (0.8, 0.6, 0.5)  # face
    truth = np.zeros((80, 80), bool)
    truth[8:30, 18:62] = True
    colours[truth] = (0.2, 0.12, 0.08)
    prior = np.zeros((80, 80, 3), np.float32)
    rough = np.zeros((80, 80), bool)
    rough[5:26, 24:70] = True  # too far to one side, too short on the other
    prior[..., HAIR] = 0.8 * rough
    prior[30:70, 25:55, SKIN] = 0.9
    prior[..., 2] = 1 - prior.sum(axis=-1)
    head = np.zeros((80, 80), np.float32)
    head[14:70, 22:58] = 1
    hair, _ = _refined(colours, prior, np.ones((80, 80), bool), head)
    found = hair > 0.5
    overlaps = [(each & truth).sum() / (each | truth).sum() for each in (rough, found)]
    assert overlaps[0] < 0.7 and overlaps[1] > 0.78


def test_hair_that_is_not_joined_to_the_face_is_not_its_own():
    hair, skin = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    skin[15:35, 10:25] = True
    hair[8:15, 10:25] = True
    hair[5:30, 45:55] = True
    joined = _joined(hair, skin)
    assert joined[10, 15] and not joined[10, 50]


def test_where_the_network_saw_nothing_little_hair_is_expected():
    classes = np.zeros((112, 112, 5), np.float32)
    classes[..., 2] = 1  # hair all over
    far = np.array([[1.0, 0, -300], [0, 1, -300], [0, 0, 1]])
    assert _prior(classes, far, (20, 20))[..., HAIR].max() < 0.2
    here = np.array([[1.0, 0, 80], [0, 1, 80], [0, 0, 1]])
    assert _prior(classes, here, (20, 20))[..., HAIR].min() > 0.99
