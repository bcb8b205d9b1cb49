"""Parity with Deep3DFaceRecon_pytorch on made-up input: reference.npz holds what it computes, make.py says how."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from deep3d.alignment import align
from deep3d.coefficients import FaceCoefficients
from deep3d.decoding.decode import decode
from deep3d.network.architecture import TRUNKS
from deep3d.network.torch_regressor import RegressorNetwork
from tests.golden import inputs

TOLERANCES = {
    "face_shape": 3e-6,
    "face_vertex": 3e-6,
    "rotation": 1e-6,
    "vertex_normal_object": 2e-5,
    "vertex_normal_rotated": 2e-5,
    "face_texture": 1e-6,
    "face_color": 1e-5,
    "projection": 1e-3,
}


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("reference.npz")) as archive:
        return dict(archive)


@pytest.mark.parametrize("name", TOLERANCES)
def test_geometry_light_and_projection_are_the_references(reference, toy_face_model, name):
    ours = decode(toy_face_model, FaceCoefficients.from_vector(inputs.coefficients()))
    np.testing.assert_allclose(ours[name], reference[name], rtol=0, atol=TOLERANCES[name])


@pytest.mark.parametrize("number", range(len(inputs.PHOTO_SIZES)))
def test_crops_are_the_references_byte_for_byte(reference, number):
    size = inputs.PHOTO_SIZES[number]
    crop = align(inputs.photo(*size), inputs.five_points(*size))
    np.testing.assert_allclose(crop.trans_params, reference["trans_params"][number], rtol=1e-6)
    np.testing.assert_allclose(crop.aligned_points, reference["aligned_points"][number], atol=1e-3)
    assert hashlib.sha256(crop.image.tobytes()).hexdigest() == reference["crop_sha256"][number]


def test_the_networks_output_is_the_references(reference):
    shapes = TRUNKS["resnet50"].tensor_shapes()
    network = RegressorNetwork().eval()
    network.load_state_dict({name: torch.as_tensor(value) for name, value in inputs.weights(shapes).items()})
    with torch.inference_mode():
        output = network(torch.from_numpy(inputs.crops()).permute(0, 3, 1, 2) / 255)
    np.testing.assert_allclose(output.numpy(), reference["network_output"], atol=1e-4)
