"""Weakly supervised runs, from the photos of made-up faces to a checkpoint."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from deep3d.cli.training import weak
from deep3d.errors import ConfigError, DatasetError, ExtraMissing
from deep3d.network.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from deep3d.network.torch_regressor import RegressorConfig, RegressorNetwork, build_network, network_arrays
from deep3d.training.config import Schedule
from deep3d.training.team import ALONE
from deep3d.training.weak.config import Augmentation, WeakConfig, WeakWeights
from deep3d.training.weak.learning import drift, freeze_before, train_weakly

WEIGHTS = WeakWeights(1.92, 1.6e-3, 0, 3e-4, 2.4e-4, 5.1e-6, 5.0, 10.0, 0.1)
CROPS = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def start(toy_checkpoint_arrays, toy_checkpoint_info, tmp_path_factory) -> Checkpoint:
    """A checkpoint in eight bits with random weights and 70 dense landmarks."""
    torch.manual_seed(4)
    network = RegressorNetwork(RegressorConfig("resnet18", tuple(range(70))))
    arrays = network_arrays(network) | toy_checkpoint_arrays
    path = tmp_path_factory.mktemp("start") / "start.safetensors"
    write_checkpoint(path, toy_checkpoint_info, arrays, "int8")
    return read_checkpoint(path)


@pytest.fixture
def config(photo_list: Path) -> WeakConfig:
    """Six steps, two faces each."""
    return WeakConfig(
        photos=(str(photo_list),),
        held_out=2,
        workers=0,
        seed=1,
        train_from="layer4",
        weight_decay=0.0,
        average_decay=0.5,
        checkpoint_every=100,
        loss=WEIGHTS,
        augmentation=Augmentation(2, 0.02, 2),
        schedule=Schedule(crop_size=32, batch_size=2, steps=6, learning_rate=1e-3, final_rate=0.5),
    )


class Steps:
    """Notes the losses it is told of, and does something at one step."""

    def __init__(self, at: int = 0, action: Callable[[], object] = lambda: None) -> None:
        self.losses: dict[int, float] = {}
        self._at, self._action = at, action

    def __call__(self, step: int, total: int, loss: float) -> None:
        self.losses[step] = loss
        if step == self._at:
            self._action()


def interrupt() -> None:
    raise KeyboardInterrupt


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_loss_falls_and_what_is_frozen_stays_to_the_bit(config, start, toy_face_model, tmp_path):
    """The dense landmarks too, and after they were rounded to eight bits again."""
    config = replace(config, schedule=replace(config.schedule, steps=20))
    steps = Steps()
    network = train_weakly(config, start, toy_face_model, tmp_path, ALONE, steps)
    first, last = (np.mean([steps.losses[k] for k in ks]) for ks in (range(1, 4), range(18, 21)))
    assert last < 0.8 * first

    write_checkpoint(tmp_path / "trained.safetensors", start.info, network_arrays(network), "int8")
    trained = read_checkpoint(tmp_path / "trained.safetensors")
    changed = {name for name, value in start.arrays.items() if not np.array_equal(value, trained.arrays[name])}
    assert changed and all(name.startswith(("backbone.layer4", "final_layers")) for name in changed)
    before, after = (build_network(checkpoint)(CROPS).detach() for checkpoint in (start, trained))
    assert_array_equal(before[:, 257:], after[:, 257:])

    (row,) = rows(tmp_path / "log.csv")
    assert row["step"] == "20" and np.isfinite(float(row["photometric"]))
    (row,) = rows(tmp_path / "held_out.csv")
    assert row["step"] == "0" and all(0 < float(value) < 100 for name, value in row.items() if name != "step")
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_run_that_is_interrupted_goes_on(config, start, toy_face_model, tmp_path):
    first, second = Steps(4, interrupt), Steps()
    with pytest.raises(KeyboardInterrupt):
        train_weakly(config, start, toy_face_model, tmp_path, ALONE, first)
    train_weakly(config, start, toy_face_model, tmp_path, ALONE, second)
    assert [*first.losses, *second.losses] == [1, 2, 3, 4, 5, 6]


def test_dense_landmarks_are_held_where_their_features_change(config, start, toy_face_model, tmp_path):
    """With weight on `dense` they drift less."""
    moved = {}
    for weight in (0.0, 20.0):
        changed = replace(config, train_from="conv1", loss=replace(WEIGHTS, dense=weight), held_out=0)
        network = train_weakly(changed, start, toy_face_model, tmp_path / str(weight), ALONE, Steps())
        with torch.no_grad():
            moved[weight] = float(drift(network(CROPS)[:, 257:], build_network(start)(CROPS)[:, 257:]))
    assert 0 < moved[20.0] < 0.7 * moved[0.0]


@pytest.mark.parametrize(
    ("part", "trained"),
    [
        ("heads", {"final_layers"}),
        ("layer4", {"final_layers", "layer4"}),
        ("layer3", {"final_layers", "layer4", "layer3", "dense"}),
        ("conv1", {"final_layers", "layer4", "layer3", "layer2", "layer1", "bn1", "conv1", "dense"}),
    ],
)
def test_gradients_go_as_far_as_they_are_told(start, part, trained):
    network = build_network(start)
    freeze_before(network, part)
    names = {name.removeprefix("backbone.") for name, value in network.named_parameters() if value.requires_grad}
    assert {name.partition(".")[0] for name in names} == trained


def test_a_folder_of_another_kind_of_run_is_refused(config, start, toy_face_model, tmp_path):
    torch.save({"kind": "synthetic", "config": {"trunk": "resnet18"}}, tmp_path / "state.pt")
    with pytest.raises(ConfigError, match=r"state\.pt: of a run of `deep3d train synthetic`, not weak"):
        train_weakly(config, start, toy_face_model, tmp_path, ALONE, Steps())


def test_photos_that_are_not_there_are_named(config, start, toy_face_model, tmp_path):
    with pytest.raises(DatasetError, match="nowhere: neither a folder"):
        train_weakly(replace(config, photos=("nowhere",)), start, toy_face_model, tmp_path, ALONE, Steps())


def test_a_package_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "deep3d.training.weak.command", None)
    with pytest.raises(ExtraMissing, match=r"needs the package deep3d\.training.*pip install 'deep3d\[torch,train\]'"):
        weak(tmp_path / "weak.toml", tmp_path)


TOML = """
photos = ["{photos}"]
start = "{start}"
seed = 1
held_out = 2
workers = 0
train_from = "heads"
weight_decay = 0.0
average_decay = 0.5
checkpoint_every = 100
[loss]
photometric = 1.92
landmarks = 1.6e-3
recognition = 0.0
identity = 3e-4
expression = 2.4e-4
albedo = 5.1e-6
flatness = 5.0
light = 10.0
dense = 0.1
[augmentation]
shift = 10.0
scale = 0.1
turn = 10.0
[schedule]
crop_size = 32
batch_size = 2
steps = 20
learning_rate = 1e-4
final_rate = 0.1
"""


def test_two_processes_of_torchrun_train_one_network(photo_list, start, toy_model_path, tmp_path):
    """Through the command line: one of them writes, and the checkpoint has learned."""
    (tmp_path / "weak.toml").write_text(TOML.format(photos=photo_list.as_posix(), start=start.path.as_posix()))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command = ["-m", "deep3d", "train", "weak", "weak.toml", "--out", "run", "--name", "toy", "--threads", "1"]
    done = subprocess.run(
        [*torchrun, "--standalone", *command, "--model", str(toy_model_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("toy.safetensors: checkpoint written") == 1
    assert len(rows(tmp_path / "run" / "log.csv")) == 1
    trained = read_checkpoint(tmp_path / "run" / "toy.float32.safetensors")
    assert trained.info.training_data.endswith("weakly supervised") and trained.info.crop_size == 32
    assert not np.array_equal(trained.arrays["final_layers.0.bias"], start.arrays["final_layers.0.bias"])
