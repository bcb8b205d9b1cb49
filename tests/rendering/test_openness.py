"""What the head itself leaves of the light around it."""

import numpy as np

from deep3d.rendering.openness import sky_visibility


def test_the_sky_is_open_on_the_forehead_and_closed_in_the_mouth(model):
    openness = sky_visibility(model)
    landmarks = model.landmarks(model.mean_shape[None])[0]
    above = np.linalg.norm(model.mean_shape - (landmarks[27] + [0, 0.45, 0.05]), axis=1).argmin()
    throat = (np.abs(model.mean_shape[:, 0]) < 0.2) & (model.skin < 0.1)
    throat &= (model.mean_shape[:, 2] < landmarks[62, 2] - 0.3) & (
        np.abs(model.mean_shape[:, 1] - landmarks[62, 1]) < 0.1
    )
    assert openness[above] > 0.8
    assert throat.any() and openness[throat].mean() < 0.1
