"""Lines, light and lashes on the mean head."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.people.complexion import scattered, wrinkled
from deep3d.synthetic.people.eyes import LID_POINTS, UPPER_LIDS, Eyes, eye_overlays, random_eyes
from deep3d.synthetic.scenes import Director, Scenes, each_array, single_precision


@pytest.fixture(scope="module")
def anatomy(model) -> Anatomy:
    return Anatomy.of(model)


@pytest.fixture(scope="module")
def scenes(model, anatomy) -> Scenes:
    return Director(model, anatomy.lowest, 6).random_scenes(np.random.default_rng(1), 4)


def test_lines_tip_normals_only_where_skin_has_them(model, anatomy, scenes):
    vertices = np.repeat(model.mean_shape[None], 4, axis=0)
    normals = model.normals(vertices)
    none, some = np.zeros(4, np.float32), np.full(4, 0.4, np.float32)
    bare = replace(scenes.skin, forehead_lines=none, crows_feet=none, folds=none)
    assert_allclose(wrinkled(normals, vertices, anatomy, bare), normals, atol=1e-5)
    landmarks = model.landmarks(model.mean_shape[None])[0]
    places = {
        "forehead_lines": landmarks[27] * [0, 1, 1] + [0, 0.42, 0],
        "crows_feet": landmarks[45] + [0.14, 0.0, -0.1],
        "folds": (landmarks[35] + landmarks[54]) / 2 + [0.1, 0.0, -0.05],
    }
    for name, place in places.items():
        found = wrinkled(normals, vertices, anatomy, replace(bare, **{name: some}))
        tipped = np.degrees(np.arccos(np.clip((found * normals).sum(axis=-1), -1, 1))).max(axis=0)
        near = np.linalg.norm(model.mean_shape - place, axis=1) < 0.12
        chin = np.linalg.norm(model.mean_shape - landmarks[8], axis=1) < 0.15
        assert tipped[near].max() > 8, name
        assert tipped[chin].max() < 2 and tipped[model.skin < 0.05].max() < 1, name
        assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-4)


def test_light_in_skin_is_softer_and_redder_in_the_dark_and_gone_without_a_share():
    smooth, fine = np.full((1, 2, 3), 0.5, np.float32), np.array([[[0.1] * 3, [1.0] * 3]], np.float32)
    assert_allclose(scattered(smooth, fine, np.zeros((1, 2), np.float32)), fine)
    dark, bright = scattered(smooth, fine, np.ones((1, 2), np.float32))[0]
    assert dark[0] > dark[1] > dark[2] > 0.1
    assert bright[0] < bright[1] < bright[2] < 1.0


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return each_array(random_eyes(np.random.default_rng(0), 4), single_precision)


def test_lashes_grow_from_the_upper_lids_and_follow_them_down(model, anatomy, scenes, eyes):
    names = model.expression_names
    closed = np.zeros((4, 64), np.float32)
    closed[:, [names.index("eyeBlink_L"), names.index("eyeBlink_R")]] = 1
    ahead = replace(scenes.standpoints, rotation=np.zeros((4, 3), np.float32))
    rises = []
    for offsets in (np.zeros((4, len(model.mean_shape), 3), np.float32), model.expression_offsets(closed)):
        vertices = model.mean_shape + offsets
        landmarks = model.landmarks(vertices)
        overlays = eye_overlays(eyes, landmarks, vertices[:, anatomy.irises], ahead, scenes.key)
        lid, lashes = (part.surfaces.pixels.reshape(4, 2, -1, 3, 2)[:, :, :, 1] for part in overlays[1:])
        known, _ = ahead.see(landmarks)
        for side, corners in enumerate(UPPER_LIDS):
            assert_allclose(lid[:, side, 0], known[:, corners[0]], atol=0.5)
            assert_allclose(lid[:, side, -1], known[:, corners[3]], atol=0.5)
        assert lid.shape[2] == LID_POINTS
        root, tip = lashes.reshape(4, -1, 3, 2)[:, :, 0], lashes.reshape(4, -1, 3, 2)[:, :, 2]
        rises.append((root[..., 1] - tip[..., 1]) / ahead.pixels_per_dm[:, None])
    opened, shut = rises
    assert (opened > 0).all() and (shut < 0.2 * opened).all()
