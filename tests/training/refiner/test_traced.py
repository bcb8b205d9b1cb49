"""Files of path-traced heads: training reads them, and says which one is wrong."""

from dataclasses import fields, replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from deep3d.errors import ConfigError, DatasetError
from deep3d.face_model import FaceModel
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.network.checkpoints import Checkpoint
from deep3d.synthetic.heads import HeadGenerator
from deep3d.training import traced
from deep3d.training.refiner.config import read_refiner_config
from deep3d.training.refiner.learning import train_refiner
from deep3d.training.refiner.starts import StartMaker, Starts
from deep3d.training.traced import TracedFolder, TracedHeads, traced_file, write_traced

COUNT = 4  # heads in a file of these tests


@pytest.fixture
def folder(model: FaceModel, checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of plainly drawn heads, and one that is still being written."""
    monkeypatch.setattr(traced, "CHUNK", COUNT)
    for number in (0, 1):
        heads = HeadGenerator(model, number, checkpoint.dense_vertices).draw(COUNT)
        visible = np.ones(heads.points.shape[:2], bool)
        write_traced(traced_file(tmp_path, number), TracedHeads(heads.crops, heads.vectors, heads.points, visible))
    (tmp_path / "heads_00002.partial.npz").write_bytes(b"half a file")
    return tmp_path


@pytest.fixture
def starts(checkpoint: Checkpoint, folder: Path, tmp_path: Path) -> Starts:
    """What training makes of the files."""
    maker = StartMaker(checkpoint, asset("bfm", OPEN_MODEL), 1, torch.device("cpu"))
    return maker.traced(tmp_path / "run", folder)


def test_all_heads_are_read_in_order_and_regressed_near_their_landmarks(starts, folder, checkpoint):
    written = list(TracedFolder.at(folder).read(len(checkpoint.dense_vertices)))
    assert_array_equal(starts.crops, np.concatenate([heads.crops for heads in written]))
    assert_array_equal(starts.points, np.concatenate([heads.points for heads in written]))
    angle = starts.regressed[:, 225] - starts.true[:, 225]
    assert len(starts.crops) == 2 * COUNT and np.abs(angle).mean() < 0.3


def test_their_share_of_each_batch_is_trained_on(config, starts, checkpoint, tmp_path, monkeypatch):
    """Traced heads whose landmarks are far off are a loss that plain ones are not."""
    far = replace(starts, points=starts.points + 50)
    monkeypatch.setattr(StartMaker, "heads", lambda *_: starts)
    monkeypatch.setattr(StartMaker, "traced", lambda *_: far)
    losses = {}
    for share in (0.0, 0.5):
        run = replace(config, go_on=True, traced="anywhere", traced_share=share)
        progress = Mock()
        train_refiner(run, checkpoint, asset("bfm", OPEN_MODEL), tmp_path / f"run{share}", progress)
        losses[share] = progress.call_args.args[2]
    assert losses[0.5] > 5 * losses[0.0] > 0


@pytest.mark.parametrize("name", [field.name for field in fields(TracedHeads)])
def test_a_file_with_other_shapes_is_named(folder, checkpoint, name):
    path = traced_file(folder, 1)
    with np.load(path) as file:
        arrays = dict(file)
    arrays[name] = arrays[name][:2]
    np.savez(path, **arrays)
    with pytest.raises(DatasetError, match=rf"heads_00001.npz: '{name}' is \(2, .*make it again"):
        list(TracedFolder.at(folder).read(len(checkpoint.dense_vertices)))


def test_a_damaged_file_and_an_empty_folder_are_named(folder, checkpoint):
    traced_file(folder, 0).write_bytes(b"no archive")
    with pytest.raises(DatasetError, match=r"heads_00000.npz: not a file of path-traced heads"):
        list(TracedFolder.at(folder).read(len(checkpoint.dense_vertices)))
    with pytest.raises(DatasetError, match=r"run: no heads_\*.npz in it; make some with"):
        TracedFolder.at(folder / "run")


def test_a_share_needs_a_folder(tmp_path):
    config = tmp_path / "refiner.toml"
    config.write_text("traced_share = 0.2\n" + Path("checkpoints/refiner.toml").read_text(encoding="utf-8"))
    with pytest.raises(ConfigError, match="'traced_share' is above 0, but 'traced' is missing"):
        read_refiner_config(config)
