"""Training stops, goes on and exports; on heads drawn once, but for one run of the real command."""

import csv
import json
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deep3d.errors import ConfigError, DatasetError, TrainingStopped
from deep3d.face_model import read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.network.checkpoints import CheckpointInfo, read_checkpoint, write_checkpoint
from deep3d.network.torch_regressor import RegressorConfig, RegressorNetwork, build_network, network_arrays
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.synthetic.heads import Heads
from deep3d.training import loop
from deep3d.training.call import TrainingCall
from deep3d.training.config import Stage, TrainingConfig
from deep3d.training.device_stream import DeviceHeadStream
from deep3d.training.regressor import command
from deep3d.training.regressor import learning as synthetic
from tests.training.conftest import CONFIG as SMALLEST
from tests.training.conftest import STAGE

CONFIG = replace(SMALLEST, stages=(STAGE, replace(STAGE, learning_rate=5e-4)))


class FixedHeads:
    """Stands in for HeadStream: the same random batch again and again."""

    def __init__(self, model_path: Path, dense: Sequence[int], config: TrainingConfig, stage: Stage, seed: int) -> None:
        self._dense, self._size = len(dense), stage.crop_size

    def __enter__(self) -> "FixedHeads":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def batch(self, count: int) -> Heads:
        rng = np.random.default_rng(0)
        crops = rng.integers(0, 256, (count, self._size, self._size, 3), np.uint8)
        vectors = rng.normal(0, 0.1, (count, 257)).astype(np.float32)
        return Heads(crops, vectors, rng.uniform(60, 160, (count, self._dense, 2)).astype(np.float32))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixed heads, and a row of the log at every other step."""
    monkeypatch.setattr(synthetic, "HeadStream", FixedHeads)
    monkeypatch.setattr(loop, "LOG_EVERY", 2)


class Steps:
    """Notes the steps it is told of, and does something at one of them."""

    def __init__(self, at: int = 0, action: Callable[[], object] = lambda: None) -> None:
        self.seen: list[int] = []
        self._at, self._action = at, action

    def __call__(self, step: int, total: int, loss: float) -> None:
        assert total == 8 and np.isfinite(loss)
        self.seen.append(step)
        if step == self._at:
            self._action()


def interrupt() -> None:
    raise KeyboardInterrupt


def run(folder: Path, steps: Steps, config: TrainingConfig = CONFIG) -> RegressorNetwork:
    return synthetic.train(config, asset("bfm", OPEN_MODEL), folder, steps)


def logged_steps(folder: Path) -> list[int]:
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(np.isfinite(float(row["total"])) for row in rows)
    assert [float(row["seconds"]) for row in rows] == sorted(float(row["seconds"]) for row in rows)
    return [int(row["step"]) for row in rows]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network of a run without a break, its log, and its state after four steps lie."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(synthetic, "HeadStream", FixedHeads)
        monkeypatch.setattr(loop, "LOG_EVERY", 2)
        network = run(folder, Steps(5, lambda: shutil.copy(folder / "state.pt", folder / "state4.pt")))
    torch.save(network.state_dict(), folder / "network.pt")
    return folder


def checkpoint_info() -> CheckpointInfo:
    model = read_face_model(asset("bfm", OPEN_MODEL)).info
    return CheckpointInfo(
        name="small",
        version="1",
        trunk="resnet18",
        face_model=model.name,
        face_model_sha256=model.sha256,
        training_data="noise",
        accuracy={},
        licence="MIT",
        created="2026-01-01",
        crop_size=32,
    )


def assert_same_network(network: RegressorNetwork, folder: Path) -> None:
    for name, value in torch.load(folder / "network.pt", weights_only=True).items():
        assert_allclose(network.state_dict()[name], value, rtol=1e-3, atol=1e-5, err_msg=name)


def test_a_run_that_is_interrupted_goes_on_after_its_last_step(finished, tmp_path):
    first, second = Steps(5, interrupt), Steps()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, first)
    network = run(tmp_path, second)
    assert first.seen == [1, 2, 3, 4, 5]
    assert second.seen == [6, 7, 8]
    assert logged_steps(tmp_path) == [2, 4, 6, 8]
    assert_same_network(network, finished)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_does_so_after_a_whole_step(finished, tmp_path, number):
    handler = signal.getsignal(number)
    first, second = Steps(5, lambda: signal.raise_signal(number)), Steps()
    with pytest.raises(TrainingStopped, match="stopped after step 5 of 8; the same command resumes"):
        run(tmp_path, first)
    assert signal.getsignal(number) is handler
    network = run(tmp_path, second)
    assert second.seen == [6, 7, 8]
    assert_same_network(network, finished)


def test_steps_that_come_again_after_a_crash_are_logged_once(finished, tmp_path):
    shutil.copy(finished / "state4.pt", tmp_path / "state.pt")
    shutil.copy(finished / "log.csv", tmp_path / "log.csv")
    steps = Steps()
    network = run(tmp_path, steps)
    assert steps.seen == [5, 6, 7, 8]
    assert logged_steps(tmp_path) == [2, 4, 6, 8]
    assert_same_network(network, finished)


def test_a_finished_run_gives_its_network_again(finished):
    assert_same_network(run(finished, Steps(1, interrupt)), finished)


def test_another_schedule_may_follow(finished, tmp_path):
    shutil.copy(finished / "state4.pt", tmp_path / "state.pt")
    steps = Steps()
    run(tmp_path, steps, replace(CONFIG, stages=(STAGE, replace(STAGE, learning_rate=1e-4, crop_size=64))))
    assert steps.seen == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"config": {"trunk": "resnet50"}}, r"state\.pt: of a run with trunk resnet50, not resnet18"),
        ({"face_model_sha256": "0" * 64}, r"state\.pt: of a run with face model 000000000000, not"),
        ({"kind": "weak"}, r"state\.pt: of a run of `deep3d train weak`, not synthetic"),
        ({"regressor": {}}, r"state\.pt: not the state"),
    ],
)
def test_the_state_of_another_run_is_refused(finished, tmp_path, origin, message):
    torch.save(torch.load(finished / "state4.pt", weights_only=True) | origin, tmp_path / "state.pt")
    with pytest.raises(ConfigError, match=message) as caught:
        run(tmp_path, Steps())
    assert "\n" not in str(caught.value)


def test_a_run_may_start_from_a_checkpoint(finished, tmp_path):
    """What the network knew is still there after steps of no size."""
    network = run(finished, Steps())
    start = tmp_path / "start.safetensors"
    write_checkpoint(start, checkpoint_info(), network_arrays(network))
    still = replace(
        CONFIG,
        start=str(start),
        average_decay=0.0,
        weight_decay=0.0,
        stages=(replace(STAGE, learning_rate=0, steps=8),),
    )
    again = run(tmp_path / "run", Steps(), still)
    for name, value in network.state_dict().items():
        if "running" not in name and "batches" not in name:
            assert_allclose(again.state_dict()[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_start_of_another_trunk_is_refused(finished, tmp_path):
    network = run(finished, Steps())
    start = tmp_path / "start.safetensors"
    write_checkpoint(start, checkpoint_info(), network_arrays(network))
    with pytest.raises(ConfigError, match="of trunk resnet18, not resnet50"):
        run(tmp_path / "run", Steps(), replace(CONFIG, start=str(start), trunk="resnet50"))


def test_a_start_in_eight_bits_gets_batch_norms_again(finished, tmp_path):
    start = tmp_path / "start.safetensors"
    write_checkpoint(start, checkpoint_info(), network_arrays(run(finished, Steps())), "int8")
    network = synthetic.starting_regressor(replace(CONFIG, start=str(start)), read_face_model()).eval()
    crops = torch.rand(2, 3, 32, 32)
    expected = build_network(read_checkpoint(start))(crops)
    assert_allclose(network(crops).detach(), expected.detach(), rtol=1e-3, atol=1e-4)
    norm = network.network.backbone.bn1
    assert (norm.get_buffer("running_var") < 0.9).any() and norm.get_buffer("running_mean").abs().max() > 1e-3


def test_a_device_that_can_draw_makes_its_own_heads(tmp_path, monkeypatch):
    made = []

    def open_stream(*arguments) -> DeviceHeadStream:
        made.append(DeviceHeadStream(*arguments, chunk=8))
        return made[-1]

    monkeypatch.setattr(synthetic, "gpu_rasterizer", lambda device: CpuRasterizer())
    monkeypatch.setattr(synthetic, "DeviceHeadStream", open_stream)
    steps = Steps()
    run(tmp_path, steps)
    assert steps.seen == list(range(1, 9)) and len(made) == 2
    assert logged_steps(tmp_path) == [2, 4, 6, 8]


def test_a_damaged_state_is_refused(finished, tmp_path):
    whole = (finished / "state4.pt").read_bytes()
    for content in (b"", b"nonsense", whole[: len(whole) // 2]):
        (tmp_path / "state.pt").write_bytes(content)
        with pytest.raises(ConfigError, match=r"state\.pt: not the state") as caught:
            run(tmp_path, Steps())
        assert "\n" not in str(caught.value)


def test_a_state_without_its_origin_is_taken_on_trust(finished, tmp_path):
    state = torch.load(finished / "state4.pt", weights_only=True)
    assert state["config"]["trunk"] == "resnet18" and len(state["face_model_sha256"]) == 64
    torch.save({name: state[name] for name in ("regressor", "average", "optimizer", "step")}, tmp_path / "state.pt")
    steps = Steps()
    run(tmp_path, steps)
    assert steps.seen == [5, 6, 7, 8]


TOML = """
trunk = "resnet18"
seed = 1
reuse = 2.0
buffer_mib = 1
workers = 1
weight_decay = 0.01
average_decay = 0.5
checkpoint_every = 4
dense_landmarks = 72
[loss]
projection = 1
identity = 1
expression = 1
profile = 1
pose = 1
colour = 1
coefficients = 1
landmarks = 1
dense = 1
certainty = 1
[[stages]]
crop_size = 32
batch_size = 4
steps = 8
learning_rate = 1e-3
final_rate = 0.1
portrait_share = 0
"""


def test_the_command_writes_a_checkpoint_and_its_accuracy(tmp_path, monkeypatch):
    monkeypatch.undo()  # real heads
    config = tmp_path / "run.toml"
    config.write_text(TOML)
    steps = Steps()
    path = command.train_and_export(TrainingCall(config, tmp_path / "run", None, 1, "cpu", steps), "small")
    assert path is not None
    assert steps.seen == list(range(1, 9))

    model = read_face_model(asset("bfm", OPEN_MODEL)).info
    checkpoint = read_checkpoint(path)
    checkpoint.require_model(model)
    assert checkpoint.storage == "int8"
    assert checkpoint.info.face_model == f"{model.name} {model.version}"
    assert checkpoint.info.crop_size == 32
    assert checkpoint.info.accuracy == {}
    full = read_checkpoint(tmp_path / "run" / "small.float32.safetensors")
    assert len(set(full.dense_vertices)) == 72
    network = RegressorNetwork(RegressorConfig("resnet18", full.dense_vertices))
    assert full.arrays.keys() == network_arrays(network).keys()

    landmarks = {"nme51": {"mean": 3.5}, "nme68": {"mean": 4.25}}
    table = {"name": "portraits", "rows": [{"measures": {}}, {"measures": landmarks}]}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"benchmarks": [table]}))
    measured = read_checkpoint(command.record_accuracy(tmp_path / "run", "small", report))
    assert measured.info == replace(checkpoint.info, accuracy={"portraits NME51 %": 3.5, "portraits NME68 %": 4.25})
    for name, value in checkpoint.arrays.items():
        assert_array_equal(measured.arrays[name], value)

    report.write_text("{}")
    with pytest.raises(DatasetError, match=r"report\.json: not a report"):
        command.record_accuracy(tmp_path / "run", "small", report)
