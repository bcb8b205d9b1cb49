"""The network in torch and as a graph, and what the refiner makes of its answers."""

import numpy as np
import torch
from numpy.testing import assert_allclose

from deep3d.camera import DEEP3D_CAMERA, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.refiner import LandmarkRefiner
from deep3d.refiner.chart import CHART_CHANNELS, CHART_SIZE
from deep3d.refiner.graph import refiner_graph
from deep3d.refiner.refiner import shape_input, upright
from deep3d.runtime.onnx import OnnxNetwork


def test_the_graph_computes_what_was_trained(network, weights, chart):
    generator = torch.Generator().manual_seed(1)
    charts = torch.rand(3, CHART_CHANNELS, CHART_SIZE, CHART_SIZE, generator=generator)
    shapes = torch.randn(3, 144, generator=generator)
    with torch.inference_mode():
        expected = network(charts, shapes)

    graph = refiner_graph(weights, chart.places)
    (landmarks,) = OnnxNetwork(graph)(charts.numpy(), shapes.numpy())

    assert expected.std() > 0.01
    assert_allclose(landmarks, expected.numpy(), atol=1e-4)


def test_offsets_go_along_the_face_not_along_the_picture(model, chart):
    """A network that sees each landmark one pixel to the right of, and two below, where the mesh has it."""

    def network(*values: np.ndarray) -> list[np.ndarray]:
        own, mirrored = np.array([1.0, 2.0, 0.0], np.float32), np.array([-1.0, 2.0, 0.0], np.float32)
        faces, landmarks = len(values[0]) // 2, (len(chart.places), 1)
        return [np.concatenate([np.tile(each, (faces, *landmarks)) for each in (own, mirrored)])]

    roll = np.pi / 2  # the top of the head points to the left of the picture
    vector = np.zeros((1, 257), np.float32)
    vector[0, 226] = roll
    face = FaceCoefficients.from_vector(vector)
    crop = np.zeros((224, 224, 3), np.uint8)

    dense = LandmarkRefiner(network, chart, model)([crop], face, [DEEP3D_CAMERA])

    placed = place(model.shape(face), face.rotation, face.translation)
    moved = dense.points - project(placed[:, chart.vertices])
    assert_allclose(moved, np.broadcast_to([2.0, -1.0], moved.shape), atol=1e-4)
    assert_allclose(dense.deviation, 1.0)


def test_upright_faces_have_the_directions_of_the_picture():
    nods_and_turns = np.array([[0.2, 0.0, 0.0], [0.0, -0.7, 0.0]])
    assert_allclose(upright(nods_and_turns), np.stack([np.eye(2)] * 2), atol=1e-6)


def test_expressions_count_like_identities():
    vector = np.zeros((1, 257), np.float32)
    vector[0, [3, 90]] = 0.5
    shape = shape_input(FaceCoefficients.from_vector(vector))
    assert shape.shape == (1, 144)
    assert shape[0, 3] == 0.5 and shape[0, 90] == 2.0
