"""What a mirrored face has in place of its own."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from deep3d.camera import DEEP3D_CAMERA, place
from deep3d.coefficients import FaceCoefficients
from deep3d.refiner import LandmarkRefiner
from deep3d.refiner.graph import refiner_graph
from deep3d.refiner.mirror import Mirror
from deep3d.runtime.onnx import OnnxNetwork


@pytest.fixture(scope="module")
def mirror(model, vertices):
    return Mirror.of(model, vertices)


@pytest.fixture
def face():
    """A face that turns and smiles to one side."""
    vector = np.random.default_rng(3).normal(0, 0.5, (1, 257)).astype(np.float32)
    vector[:, 80:144] = np.abs(vector[:, 80:144]) * (np.arange(64) < 52)
    vector[:, 224:227] = 0.1, 0.5, -0.2
    vector[:, 254:257] = 0.1, -0.05, 0
    return FaceCoefficients.from_vector(vector)


def mirrored(face: FaceCoefficients, mirror: Mirror) -> FaceCoefficients:
    shape = np.concatenate([face.identity, face.expression], axis=1) @ mirror.shape
    turned, moved = face.rotation * [1, -1, -1], face.translation * [-1, 1, 1]
    return replace(face, identity=shape[:, :80], expression=shape[:, 80:], rotation=turned, translation=moved)


def test_coefficients_are_those_of_the_mirrored_face(model, mirror, face):
    there = mirrored(face, mirror)
    skin = (model.skin > 0.5) & (model.mirror[model.mirror] == np.arange(len(model.mirror)))
    expected = model.shape(face)[0, model.mirror[skin]] * [-1, 1, 1]
    moved = np.abs(model.shape(face)[0, skin] - expected).max()
    assert np.abs(model.shape(there)[0, skin] - expected).max() < 0.1 * moved


def test_partners_lie_on_the_other_side(model, vertices, mirror):
    paired = np.flatnonzero(mirror.partner >= 0)
    assert len(paired) > 68
    assert_array_equal(mirror.partner[mirror.partner[paired]], paired)
    there = model.mean_shape[np.array(vertices)[mirror.partner[paired]]]
    assert_allclose(model.mean_shape[np.array(vertices)[paired]] * [-1, 1, 1], there, atol=0.03)


def test_the_opinion_of_a_mirrored_face_is_the_mirrored_opinion(model, chart, mirror, face, weights):
    arrays = weights.arrays | {"landmarks.weight": 300 * weights.arrays["landmarks.weight"]}  # or it would hardly move
    network = OnnxNetwork(refiner_graph(replace(weights, arrays=arrays), chart.places))
    refiner = LandmarkRefiner(network, chart, model)
    noise = np.random.default_rng(5).integers(0, 256, (12, 12, 3), np.uint8)
    crop = np.asarray(Image.fromarray(noise).resize((224, 224), Image.Resampling.BICUBIC))
    camera = replace(DEEP3D_CAMERA, column=223 - DEEP3D_CAMERA.column)

    own = refiner([crop], face, [DEEP3D_CAMERA])
    other = refiner([crop[:, ::-1]], mirrored(face, mirror), [camera])

    paired = mirror.partner >= 0
    placed = place(model.shape(face), face.rotation, face.translation)
    offsets = own.points[0] - chart.seen(placed, [DEEP3D_CAMERA])[0]
    back = other.points[0, mirror.partner[paired]] * [-1, 1] + [223, 0]
    assert np.abs(offsets[paired]).mean() > 1
    assert_allclose(back, own.points[0, paired], atol=0.1 * np.abs(offsets[paired]).max())
    there, here = other.deviation[0, mirror.partner[paired]], own.deviation[0, paired]
    assert_allclose(np.log(there), np.log(here), atol=0.5)  # of -1.5 to 4
