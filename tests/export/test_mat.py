from dataclasses import replace

import numpy as np
import pytest
from scipy.io import loadmat

from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import FaceCoefficients
from deep3d.decoding.decode import decode
from deep3d.export.mat import tensorflow_arrays, write_mat
from deep3d.lighting import shade

PYTORCH_SHAPES = {"id": (1, 80), "exp": (1, 64), "tex": (1, 80), "angle": (1, 3), "gamma": (1, 27), "trans": (1, 3)}


@pytest.fixture(scope="module")
def written(tmp_path_factory, toy_reconstruction) -> tuple[dict, dict]:
    folder = tmp_path_factory.mktemp("mat")
    write_mat(toy_reconstruction, folder)
    return loadmat(folder / "face_pytorch.mat"), loadmat(folder / "face_tensorflow.mat")


def test_coefficients_go_by_the_names_of_the_pytorch_version(written, toy_reconstruction):
    pytorch, _ = written
    assert {name for name in pytorch if not name.startswith("_")} == {*PYTORCH_SHAPES, "lm68"}
    for name, shape in PYTORCH_SHAPES.items():
        assert pytorch[name].shape == shape and pytorch[name].dtype == np.float32
    joined = np.concatenate([pytorch[name] for name in PYTORCH_SHAPES], axis=1)
    np.testing.assert_array_equal(joined, toy_reconstruction.coefficients.to_vector())


def test_landmarks_of_the_pytorch_version_are_crop_pixels_with_y_down(written, toy_reconstruction):
    pytorch, _ = written
    expected = toy_reconstruction.crop.to_crop(toy_reconstruction.landmarks68)
    np.testing.assert_allclose(pytorch["lm68"], expected[None], atol=1e-3)


def test_the_tensorflow_version_has_placed_vertices_and_grey_levels(written, toy_reconstruction):
    _, tensorflow = written
    arrays = decode(toy_reconstruction.face_model, toy_reconstruction.coefficients)
    placed = arrays["face_vertex"][0] * [1, 1, -1] + [0, 0, DEEP3D_CAMERA.distance]
    np.testing.assert_allclose(tensorflow["face_shape"], placed, atol=2e-6)
    np.testing.assert_allclose(tensorflow["face_texture"], 255 * arrays["face_texture"][0], atol=1e-3)
    np.testing.assert_allclose(tensorflow["face_color"], 255 * arrays["face_color"][0], atol=1e-3)
    np.testing.assert_array_equal(tensorflow["coeff"], toy_reconstruction.coefficients.to_vector())
    np.testing.assert_array_equal(tensorflow["cropped_img"], toy_reconstruction.crop.image)


def test_points_of_the_tensorflow_version_have_y_up_on_the_mesh_and_down_in_the_photo(written, toy_reconstruction):
    _, tensorflow = written
    arrays = decode(toy_reconstruction.face_model, toy_reconstruction.coefficients)
    np.testing.assert_allclose(tensorflow["lm_68p"], arrays["landmarks"][0], atol=1e-3)
    crop = toy_reconstruction.crop
    there = np.column_stack([crop.aligned_points[:, 0], 223 - crop.aligned_points[:, 1]])
    np.testing.assert_allclose(tensorflow["lm_5p"], there)
    assert np.abs(there - crop.to_crop(crop.five_points)).max() < 2  # its corner is not truncated


def test_the_picture_shows_the_lit_face_on_nothing(toy_reconstruction):
    arrays = tensorflow_arrays(toy_reconstruction)
    picture = arrays["recon_img"]
    assert picture.shape == (224, 224, 4) and picture.dtype == np.float32
    mask = picture[..., 3]
    assert set(np.unique(mask)) == {0, 1} and not picture[mask == 0].any()
    assert picture.min() >= 0 and picture.max() <= 255
    # the colour of a vertex in the middle of the face is where the vertex is
    columns, rows = np.round(arrays["lm_68p"] * [1, -1] + [0, 223]).astype(int).T
    model = toy_reconstruction.face_model
    colours = model.landmarks(np.clip(arrays["face_color"], 0, 255)[None])[0]
    difference = np.abs(picture[rows, columns, :3] - colours)[17:].max(axis=1)
    assert np.median(difference) < 12


def test_light_beyond_white_is_kept_in_the_colours_and_cut_in_the_picture(toy_reconstruction):
    bright = toy_reconstruction.coefficients.to_vector().copy()
    bright[:, 227:254:9] = 5
    arrays = tensorflow_arrays(replace(toy_reconstruction, coefficients=FaceCoefficients.from_vector(bright)))
    assert arrays["face_color"].max() > 255 >= arrays["recon_img"].max()
    assert shade(np.ones((1, 1, 3)), np.array([[[0.0, 0, 1]]]), bright[:, 227:254]).min() > 1
