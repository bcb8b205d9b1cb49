"""Maps of a surface: heights, normals and places are the mesh's own, and go on beyond its outline."""

import numpy as np
from numpy.testing import assert_allclose

from deep3d.camera import CROP_SIZE, DEEP3D_CAMERA, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.dense.estimator import mesh_maps
from deep3d.dense.maps import MAP_SIZE, reduced


def face(rotation=(0.0, 0.0, 0.0)) -> FaceCoefficients:
    vector = np.zeros((1, 257), np.float32)
    vector[0, 224:227] = rotation
    return FaceCoefficients.from_vector(vector)


def test_a_map_says_where_on_the_model_and_how_high_its_points_lie(model):
    maps = mesh_maps(model, face(), (DEEP3D_CAMERA,))

    covered = maps.covered[0]
    assert 0.2 < covered.mean() < 0.9
    assert_allclose(maps.height[0][covered], maps.coordinates[0][covered][:, 2], atol=1e-4)
    assert_allclose(np.linalg.norm(maps.normals, axis=-1), 1, atol=1e-5)
    nose = np.unravel_index(np.where(covered, maps.height[0], -9).argmax(), covered.shape)
    assert np.abs(np.array(nose) - [60, 56]).max() < 8
    assert maps.normals[0][nose][2] > 0.8


def test_a_turned_head_has_turned_normals_and_the_same_places(model):
    turned = face((0.0, 0.5, 0.0))
    maps = mesh_maps(model, turned, (DEEP3D_CAMERA,))
    places = maps.coordinates[0][maps.covered[0]]
    heights = (places @ rotation_matrix(turned.rotation)[0].T)[:, 2]
    assert_allclose(maps.height[0][maps.covered[0]], heights, atol=2e-3)


def test_beyond_the_outline_maps_go_on(model):
    maps = mesh_maps(model, face(), (DEEP3D_CAMERA,))
    assert (~maps.covered).any() and np.abs(maps.coordinates).max(axis=-1).min() > 0


def test_smaller_crops_are_means_of_four_pixels():
    crop = np.random.default_rng(1).integers(0, 256, (2, 2 * MAP_SIZE, 2 * MAP_SIZE, 3), np.uint8)
    means = crop.reshape(2, MAP_SIZE, 2, MAP_SIZE, 2, 3).mean(axis=(2, 4))
    assert_allclose(reduced(crop), means, atol=0.51)


def test_larger_maps_reduced_are_the_smaller_ones(model):
    small, large = (mesh_maps(model, face((0.1, 0.3, 0.0)), (DEEP3D_CAMERA,), size) for size in (MAP_SIZE, CROP_SIZE))
    reduced_maps = large.at(MAP_SIZE)
    assert large.at(CROP_SIZE) is large
    both = small.covered & reduced_maps.covered
    assert (small.covered == reduced_maps.covered).mean() > 0.98
    assert np.median(np.abs(small.height - reduced_maps.height)[both]) < 1e-3
    assert_allclose(np.linalg.norm(reduced_maps.normals[both], axis=-1), 1, atol=1e-5)
