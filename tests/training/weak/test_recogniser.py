"""Face recognisers from files, and how alike they find faces."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from numpy.testing import assert_allclose
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from deep3d.errors import CheckpointInvalid, CheckpointMissing
from deep3d.landmarks import five_points
from deep3d.training.weak.onnx_network import read_onnx_network
from deep3d.training.weak.recogniser import ARCFACE_POINTS, Recogniser, similarity

CPU = torch.device("cpu")


def pictures(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 224, 224, generator=torch.Generator().manual_seed(5))


def small_arcface(path: Path) -> None:
    """An ONNX file with the operators of insightface's networks: one block, flattened features, normalised."""
    rng = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(rng.normal(0, 0.3, shape).astype(np.float32), name)

    norm = [
        numpy_helper.from_array(np.full(4, v, np.float32), n) for n, v in [("g", 1.2), ("b", 0.1), ("m", 0), ("v", 2)]
    ]
    features = [numpy_helper.from_array(rng.normal(size=8).astype(np.float32), n) for n in ("fg", "fb", "fm")]
    nodes = [
        helper.make_node("Conv", ["input", "w1", "b1"], ["c1"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("PRelu", ["c1", "slope"], ["p1"]),
        helper.make_node("BatchNormalization", ["p1", "g", "b", "m", "v"], ["n1"], epsilon=2e-5),
        helper.make_node("Conv", ["n1", "w2"], ["c2"], strides=[1, 1], pads=[1, 1, 1, 1], group=2),
        helper.make_node("Add", ["c2", "p1"], ["sum"]),
        helper.make_node("Conv", ["sum", "w3"], ["c3"], strides=[28, 28]),
        helper.make_node("Flatten", ["c3"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "w4", "b4"], ["gemm"], transB=1),
        helper.make_node("BatchNormalization", ["gemm", "fg", "fb", "fm", "fv"], ["output"]),
    ]
    weights = [
        weight("w1", 4, 3, 3, 3),
        weight("b1", 4),
        weight("slope", 4, 1, 1),
        weight("w2", 4, 2, 3, 3),
        weight("w3", 2, 4, 1, 1),
        weight("w4", 8, 8),
        weight("b4", 8),
        numpy_helper.from_array(np.ones(8, np.float32), "fv"),
        *norm,
        *features,
    ]
    graph = helper.make_graph(
        nodes,
        "arcface",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 112, 112])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 8])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


@pytest.fixture(scope="module", params=["facenet.pt", "arcface.onnx", "arcface.ts"])
def recogniser_file(request, tmp_path_factory) -> Path:
    """A file of each kind, with random weights."""
    path = tmp_path_factory.mktemp("recogniser") / request.param
    torch.manual_seed(0)
    if path.suffix == ".pt":
        state = InceptionResnetV1().state_dict()
        torch.save(state | {"logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)}, path)
    elif path.suffix == ".onnx":
        small_arcface(path)
    else:
        network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(784, 16))
        torch.jit.save(torch.jit.trace(network, torch.zeros(1, 3, 112, 112)), path)
    return path


class Mosaic(nn.Module):
    """Its features are a coarse mosaic of the face, less its mean colour."""

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        mosaic = nn.functional.avg_pool2d(faces, 8).flatten(1)
        return mosaic - mosaic.mean(dim=1, keepdim=True)


def test_the_same_face_is_near_wherever_it_lies_and_another_farther(drawer, toy_vectors):
    recogniser = Recogniser(Mosaic(), 112)
    moved = toy_vectors.clone()
    moved[:, 254:256] += 0.1  # a centimetre aside and up, ten pixels
    with torch.no_grad():
        faces, same = drawer(toy_vectors), drawer(moved)
    near = recogniser.distance(faces.pictures, faces.landmarks, same.pictures, same.landmarks)
    far = recogniser.distance(faces.pictures, faces.landmarks, faces.pictures.flip(0), faces.landmarks.flip(0))
    elsewhere = recogniser.distance(faces.pictures, faces.landmarks, same.pictures, faces.landmarks)
    assert float(near) < 0.2 * float(far)
    assert float(near) < 0.2 * float(elsewhere)


def test_gradients_go_to_the_picture_alone(recogniser_file, drawer, toy_vectors):
    recogniser = Recogniser.read(recogniser_file, CPU)
    vectors = toy_vectors[:1].clone().requires_grad_()
    faces = drawer(vectors)
    photos = pictures(1).requires_grad_()
    recogniser.distance(photos, faces.landmarks.detach(), faces.pictures, faces.landmarks).backward()
    assert photos.grad is None
    assert float(recogniser.distance(photos, faces.landmarks, photos, faces.landmarks).detach()) < 1e-5
    assert vectors.grad is not None and float(vectors.grad.abs().max()) > 0


def test_an_onnx_file_gives_what_onnx_runtime_gives(tmp_path):
    small_arcface(tmp_path / "arcface.onnx")
    faces = pictures(2)[..., :112, :112] * 2 - 1
    session = onnxruntime.InferenceSession(tmp_path / "arcface.onnx", providers=["CPUExecutionProvider"])
    expected = np.asarray(session.run(None, {"input": faces.numpy()})[0])
    assert_allclose(read_onnx_network(tmp_path / "arcface.onnx")(faces), expected, rtol=1e-3, atol=1e-3)


def test_five_points_come_to_lie_where_arcface_has_them():
    template = torch.tensor(ARCFACE_POINTS)
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]])
    points = ((template - 50) @ turn.T * 1.7 + torch.tensor([90.0, 130.0]))[None]
    place = similarity(points, template[None])
    assert_allclose(points @ place[:, :, :2].mT + place[:, :, 2], template[None], atol=1e-3)


def test_the_least_squares_are_the_least(toy_vectors, drawer):
    points, template = five_points(drawer(toy_vectors).landmarks), torch.tensor(ARCFACE_POINTS)
    place = similarity(points, template.expand(4, -1, -1))

    def cost(change: float, row: int) -> float:
        a, b, x = place[:, 0, 0], place[:, 1, 0], place[:, :, 2].clone()
        a, b = (a + change, b) if row == 0 else (a, b + change)
        linear = torch.stack([torch.stack([a, -b], -1), torch.stack([b, a], -1)], -2)
        x = x + change * (row == 2)
        return float((points @ linear.mT + x[:, None] - template).square().sum())

    assert all(cost(0, row) < min(cost(0.01, row), cost(-0.01, row)) for row in range(3))


def test_what_is_no_recogniser_is_named(tmp_path):
    with pytest.raises(CheckpointMissing, match=r"none\.pt: no face recogniser there"):
        Recogniser.read(tmp_path / "none.pt", CPU)
    for name in ("noise.pt", "noise.onnx"):
        (tmp_path / name).write_bytes(b"no network")
        with pytest.raises(CheckpointInvalid, match=name) as caught:
            Recogniser.read(tmp_path / name, CPU)
        assert "\n" not in str(caught.value)
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointInvalid, match=r"other\.pt: neither TorchScript, nor ONNX, nor a state dict"):
        Recogniser.read(tmp_path / "other.pt", CPU)


def test_a_foreign_operator_is_named(tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Softmax", ["input"], ["output"])],
        "other",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 3])],
    )
    onnx.save(helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(CheckpointInvalid, match="'Softmax' is not supported; export the network as TorchScript"):
        Recogniser.read(tmp_path / "other.onnx", CPU)
