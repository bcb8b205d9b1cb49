"""Training of the refiner: what it is shown, what it should say, and that a run goes on where it stopped."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.camera import DEEP3D_CAMERA, Camera, place, project
from deep3d.coefficients import ROTATION, FaceCoefficients
from deep3d.errors import ConfigError, TrainingStopped
from deep3d.face_model import FaceModel, read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.refiner import FaceChart, read_refiner
from deep3d.training import loop
from deep3d.training.call import TrainingCall
from deep3d.training.refiner import command as refiner_command
from deep3d.training.refiner import learning as refiner
from deep3d.training.refiner.config import RefinerLossWeights, read_refiner_config
from deep3d.training.refiner.learning import ViewDrawer, refiner_loss, train_refiner
from deep3d.training.refiner.network import RefinerNetwork
from deep3d.training.refiner.starts import StartMaker, Starts
from deep3d.training.refiner.unwrapping import DeviceUnwrapper, HostUnwrapper

LOSS = RefinerLossWeights(dense=0.6, certainty=0.8, portraits=0.25)


@pytest.fixture(scope="module")
def chart(model, checkpoint) -> FaceChart:
    return FaceChart.of(model, checkpoint.dense_vertices)


@pytest.fixture(scope="module")
def starts(model, chart) -> Starts:
    """Six faces that regressor and fit have placed without a mistake."""
    rng = np.random.default_rng(5)
    vectors = (rng.normal(size=(6, 257)) * 0.1).astype(np.float32)
    face = FaceCoefficients.from_vector(vectors)
    placed = place(model.shape(face), face.rotation, face.translation)
    camera = DEEP3D_CAMERA
    lens = [camera.focal_length_px, camera.column, camera.row, camera.distance]
    return Starts(
        crops=rng.integers(0, 256, (6, 224, 224, 3), np.uint8),
        points=project(placed[:, chart.vertices]),
        true=vectors,
        regressed=vectors,
        fitted=vectors,
        lenses=np.tile(np.array(lens, np.float32), (6, 1)),
    )


def drawer(model: FaceModel, chart: FaceChart) -> ViewDrawer:
    return ViewDrawer(HostUnwrapper(model, chart), np.random.default_rng(2))


def test_a_face_that_lies_right_is_not_to_be_moved(model, chart, starts, monkeypatch):
    monkeypatch.setattr(refiner, "DISTURBED", 0.0)
    view = drawer(model, chart).draw(starts, 6)
    assert view.charts.shape == (6, 9, 128, 128) and view.shapes.shape == (6, 144)
    assert_allclose(view.offsets.numpy(), 0, atol=1e-4)


def test_a_gpu_unwraps_as_the_processor_does(model, chart, starts):
    cameras = [Camera(*lens.tolist()) for lens in starts.lenses * [1, 1, 1, 1.1]]
    arguments = starts.crops, FaceCoefficients.from_vector(starts.true), cameras
    charts, seen = DeviceUnwrapper(model, chart, torch.device("cpu"))(*arguments)
    expected_charts, expected_seen = HostUnwrapper(model, chart)(*arguments)
    assert_allclose(seen, expected_seen, atol=1e-3)
    assert charts.shape == expected_charts.shape
    assert (charts - expected_charts).abs().mean() < 1e-4 and (charts - expected_charts).abs().max() < 0.05


def test_profiles_are_drawn_more_often(starts):
    turned = replace(starts, regressed=np.zeros_like(starts.regressed))
    turned.regressed[0, ROTATION][1] = np.radians(-81)
    assert turned.odds.sum() == pytest.approx(1) and turned.odds[0] == pytest.approx(3 * turned.odds[1], rel=0.01)


def test_a_disturbed_face_is_to_be_moved_back(model, chart, starts, monkeypatch):
    monkeypatch.setattr(refiner, "DISTURBED", 1.0)
    distance = drawer(model, chart).draw(starts, 6).offsets.norm(dim=-1).mean(dim=1)
    assert (distance > 0.3).all() and (distance < 15).all()


def test_only_known_landmarks_of_portraits_count(model, chart, starts):
    unknown = replace(starts, points=starts.points.copy(), true=np.full_like(starts.true, np.nan))
    unknown.points[:, 68:] = np.nan
    view = drawer(model, chart).draw(unknown, 4)
    assert torch.isfinite(view.charts).all() and torch.isfinite(view.offsets[:, :68]).all()

    landmarks = torch.zeros(4, len(chart.vertices), 3, requires_grad=True)
    heads = (torch.zeros(2, 80, 3), torch.ones(2, 80, 2))
    terms = refiner_loss(LOSS, [heads, (landmarks, view.offsets)])
    terms["total"].backward()

    assert terms["dense"] == pytest.approx(2**0.5, rel=1e-4)
    assert torch.isfinite(terms["total"])
    gradient = landmarks.grad
    assert gradient is not None and gradient[:, 68:].abs().sum() == 0
    assert gradient[:, 17:68, 2].abs().mean() > 4 * gradient[:, :17, 2].abs().mean()  # the jaw counts less


@pytest.fixture
def quick(starts, monkeypatch) -> None:
    monkeypatch.setattr(StartMaker, "heads", lambda *_: starts)
    monkeypatch.setattr(loop, "LOG_EVERY", 2)


def test_a_stopped_run_goes_on_with_the_same_command(config, quick, checkpoint, tmp_path):
    class StopAt:
        def __init__(self, step: int) -> None:
            self.step, self.seen = step, []

        def __call__(self, step: int, total: int, loss: float) -> None:
            self.seen.append(step)
            assert np.isfinite(loss) and total == 4
            if step == self.step:
                raise TrainingStopped("enough")

    first, second = StopAt(2), StopAt(99)
    with pytest.raises(TrainingStopped):
        train_refiner(config, checkpoint, asset("bfm", OPEN_MODEL), tmp_path, first)
    train_refiner(config, checkpoint, asset("bfm", OPEN_MODEL), tmp_path, second)
    assert first.seen == [1, 2] and second.seen == [3, 4]


def test_a_run_may_go_on_from_the_refiner_that_is_there(config, quick, checkpoint, starts, model, chart, tmp_path):
    """What the network knew is still there after steps of no size."""
    still = replace(config, go_on=True, weight_decay=0.0, schedule=replace(config.schedule, learning_rate=0.0))
    network = train_refiner(still, checkpoint, asset("bfm", OPEN_MODEL), tmp_path, Mock())
    weights = read_refiner(checkpoint)
    assert weights is not None
    folded = network.arrays()
    for name in ("landmarks.weight", "shape.bias"):
        assert_allclose(folded[name], weights.arrays[name], atol=1e-6)
    view, expected = drawer(model, chart).draw(starts, 2), RefinerNetwork(chart.places).eval()
    expected.take(weights.arrays)
    unlike = network(view.charts, view.shapes) - expected(view.charts, view.shapes)
    assert unlike.abs().mean() < 0.5  # four batches of four have moved the batch norms a little
    with pytest.raises(ConfigError, match="not found"):
        train_refiner(
            still, replace(checkpoint, path=tmp_path / "x.safetensors"), asset("bfm", OPEN_MODEL), tmp_path, Mock()
        )


def test_the_command_writes_a_refiner_for_the_checkpoint(quick, checkpoint, tmp_path):
    config = tmp_path / "refiner.toml"
    text = Path("checkpoints/refiner.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(('portraits = "', "portrait_share"))]
    config.write_text(
        "portrait_share = 0.0\n"
        + "\n".join(lines).replace("steps = 3750", "steps = 2").replace("batch_size = 64", "batch_size = 2")
    )

    path = refiner_command.train_and_export_refiner(TrainingCall(config, tmp_path / "run", None, 1, "cpu", Mock()))

    assert path == tmp_path / "run" / "deep3d_resnet50.refiner.safetensors"
    read = read_refiner(replace(checkpoint, path=tmp_path / "run" / "deep3d_resnet50.safetensors"))
    assert read is not None and read.vertices == checkpoint.dense_vertices


def test_heads_are_drawn_and_regressed_once(checkpoint, tmp_path):
    model_path = asset("bfm", OPEN_MODEL)
    maker = StartMaker(checkpoint, model_path, 1, torch.device("cpu"))
    first = maker.heads(tmp_path, 5, 77)
    assert first.crops.shape == (5, 224, 224, 3) and first.points.shape == (5, 336, 2)
    face = FaceCoefficients.from_vector(np.asarray(first.fitted))
    model = read_face_model()
    placed = place(model.shape(face), face.rotation, face.translation)
    assert np.isfinite(placed).all()
    again = maker.heads(tmp_path, 5, 78)  # another seed: only files can give the same
    assert_allclose(again.true, first.true)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("crop_size = 224", "it must be 224, as charts use whole crops"),
        ("heads = 30000", "'heads' is missing"),
        ("workers = 2", "'go_on' in the file is 1, it must be true or false"),
    ],
)
def test_mistakes_in_the_configuration_are_named(tmp_path, line, message):
    config = tmp_path / "refiner.toml"
    text = Path("checkpoints/refiner.toml").read_text(encoding="utf-8")
    changed = {"crop_size = 224": "crop_size = 112", "workers = 2": "workers = 2\ngo_on = 1"}.get(line, "")
    config.write_text(text.replace(line, changed))
    with pytest.raises(ConfigError, match=message):
        read_refiner_config(config)
