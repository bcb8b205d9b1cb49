from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from deep3d.material import separate
from deep3d.material.example import continued
from deep3d.texture import Texture
from deep3d.texture.atlas import vertex_texels


def pores(size):
    noise = gaussian_filter(np.random.default_rng(1).normal(size=(size, size)), 0.8)
    return (0.1 * noise / noise.std()).astype(np.float32)


def test_detail_goes_on_as_strong_and_as_fine_where_it_is_missing():
    detail = np.stack([pores(256), 0.5 * pores(256)], axis=2)
    missing = np.zeros((256, 256), np.float32)
    missing[:, 128:] = 1
    detail[:, 128:] = 0
    told = continued(detail, missing, missing == 0)
    seen, made = told[:, :120], told[:, 136:]
    assert np.array_equal(seen, detail[:, :120])
    assert np.allclose(made.std(axis=(0, 1)), seen.std(axis=(0, 1)), rtol=0.3)
    change = [np.diff(part, axis=1).std() / part.std() for part in (seen, made)]
    assert abs(change[1] / change[0] - 1) < 0.15
    assert np.corrcoef(made[..., 0].ravel(), made[..., 1].ravel())[0, 1] > 0.95


def test_without_a_whole_patch_of_bare_skin_nothing_is_made_up():
    detail, nothing = pores(256)[..., None], np.zeros((256, 256), bool)
    assert continued(detail, np.ones((256, 256), np.float32), nothing) is detail


def test_a_lower_face_that_nobody_saw_has_the_pores_of_the_upper_one(paint, head):
    model = head.face_model
    upper = (head.vertices[:, 1] > 0) & (head.normals[:, 2] > 0.2)
    face = replace(paint(seen=upper, lamp=(0, 0.1, 1.0)).face)
    texture = paint(seen=upper, lamp=(0, 0.1, 1.0)).face.unwrapped
    image = np.clip(texture.image * np.exp(pores(256))[..., None] + 0.5, 0, 255).astype(np.uint8)
    face.__dict__["unwrapped"] = Texture(image, texture.weight)
    grey = np.maximum(separate(face, 256).maps.base_color.mean(axis=2), 1)  # mouths are black within
    fine = np.log(grey) - np.log(uniform_filter(grey, 3))
    column, row = model.derived(vertex_texels, 256).T
    skin = (model.skin > 0.99) & (head.normals[:, 2] > 0.6) & (np.abs(head.vertices[:, 0]) > 0.25)
    seen, hidden = (fine[row, column][skin & where].std() for where in (upper, head.vertices[:, 1] < -0.2))
    assert hidden > 0.5 * seen
