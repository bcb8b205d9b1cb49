import numpy as np
from scipy import ndimage

from deep3d.texture.sampling import Picture, resampled


def test_a_grid_of_a_picture_is_sampled_like_points_of_it():
    photo = np.random.default_rng(2).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    picture = Picture.cut(photo, 3, 5, 33, 29).reduce(2)
    across, down = np.linspace(-4, 44, 17), np.linspace(1, 35, 23)  # also beyond the picture
    points = np.stack(np.broadcast_arrays(across, down[:, None]), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(picture.resample(across, down), picture.sample(points).reshape(23, 17, 3), atol=1e-3)


def test_values_of_any_number_of_channels_are_resampled():
    values = np.random.default_rng(3).random((9, 7, 5)).astype(np.float32)
    across, down = np.array([-1, 0, 2.25, 6, 8]), np.array([0.5, 8, 9.5])
    places = np.meshgrid(down.clip(0, 8), across.clip(0, 6), indexing="ij")
    expected = np.stack([ndimage.map_coordinates(values[..., k], places, order=1) for k in range(5)], axis=-1)
    np.testing.assert_allclose(resampled(values, across, down), expected, atol=1e-6)
