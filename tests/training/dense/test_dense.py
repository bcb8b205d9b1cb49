"""Training of the dense network: what it is shown, what its loss asks for, and that a run gives a file and goes on."""

# pyright: reportOptionalMemberAccess=false

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from deep3d.dense import SLIM, read_dense, write_dense
from deep3d.dense.layers import CLASSES, GREY
from deep3d.dense.maps import MAP_SIZE
from deep3d.errors import ConfigError
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.network.checkpoints import Checkpoint
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.synthetic.dressed_heads import UNKNOWN, DressedHeadGenerator
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.training.batch_norms import restore_batch_norms
from deep3d.training.call import TrainingCall, companion_info
from deep3d.training.config import Schedule
from deep3d.training.dense.backbones import Trunk
from deep3d.training.dense.command import train_and_export_dense
from deep3d.training.dense.config import DenseConfig, DenseLossWeights, read_dense_config
from deep3d.training.dense.dressed import DressedExamples, dressed_type
from deep3d.training.dense.examples import FILE, Examples, draw_examples, keep_surface, kept_surface
from deep3d.training.dense.learning import (
    ROUGH,
    SETS,
    classified,
    learnt,
    start_from_dense,
    train_dense,
)
from deep3d.training.dense.losses import Known, dense_loss, pixel_weight
from deep3d.training.dense.network import UNetNetwork
from deep3d.training.dense.outlined import NOT_HAIR

LOSS = DenseLossWeights(0.5, 0.25, 0.5, 12.0, 0.1, 0.2, 0.5)
CONFIG = DenseConfig(
    seed=3,
    weight_decay=0.01,
    average_decay=0.5,
    checkpoint_every=100,
    heads=FILE,
    workers=1,
    loss=LOSS,
    schedule=Schedule(crop_size=MAP_SIZE, batch_size=4, steps=3, learning_rate=1e-3, final_rate=0.1),
)


@pytest.fixture(scope="module")
def heads(model, checkpoint) -> np.ndarray:
    """Eight heads with what is known of them."""
    fit = Reconstructor.load(checkpoint.path, threads=1).fit_crops
    return np.concatenate(list(draw_examples(model, fit, FreeShapes.of(model).draw, MAP_SIZE, seed=7, count=8)))


def known(heads: np.ndarray) -> Known:
    classes = torch.from_numpy(heads["classes"].astype(np.int64))
    weight = pixel_weight(torch.from_numpy(heads["head"]), classes)
    surface = torch.from_numpy(kept_surface(heads)).permute(0, 3, 1, 2)
    return Known(surface, weight, ROUGH[classes])


def said(heads: np.ndarray) -> torch.Tensor:
    """What a network would say that knows all, and is sure of it."""
    truth = known(heads)
    sure = torch.full((len(heads), 3, MAP_SIZE, MAP_SIZE), -2.5)
    classes = torch.from_numpy(heads["classes"].astype(np.int64))
    scores = 20.0 * torch.nn.functional.one_hot(classes, len(CLASSES)).permute(0, 3, 1, 2)
    return torch.cat([truth.surface, sure, scores], dim=1)


def test_the_mesh_that_training_starts_from_is_near_the_truth(heads):
    both = heads["head"] & heads["start_covered"] & (heads["classes"] == 1)
    assert both.mean() > 0.1
    difference = (kept_surface(heads) - kept_surface(heads, "start_"))[both]
    assert 0.001 < np.median(np.abs(difference[:, 0])) < 0.08
    assert np.median((kept_surface(heads) * kept_surface(heads, "start_"))[both][:, 1:4].sum(axis=-1)) > 0.95


def test_a_network_that_knows_all_has_no_loss(heads):
    terms = dense_loss(LOSS, said(heads), known(heads))
    for name in ("depth", "offset", "gradient", "places", "classes"):
        assert float(terms[name]) == pytest.approx(0, abs=1e-3), name
    assert float(terms["normals"]) < 1e-3
    assert float(terms["certainty"]) < -2


def test_a_class_that_a_pixel_may_have_costs_nothing_and_an_unknown_pixel_never_does(heads):
    maps, truth = said(heads), known(heads)
    maps[:, -len(CLASSES) :] = 0
    maps[:, 10 + CLASSES.index("clothes")] = 20.0
    behind = truth.classes == ROUGH[0]
    only = Known(truth.surface, truth.weight, torch.where(behind, truth.classes, 0))
    assert float(dense_loss(LOSS, maps, only)["classes"]) == pytest.approx(0, abs=1e-3)
    assert float(dense_loss(LOSS, maps, truth)["classes"]) > 1


def test_depth_does_not_depend_on_scale_and_offset_but_offset_does(heads):
    maps = said(heads)
    maps[:, 0] = 1.3 * maps[:, 0] + 0.05
    terms = dense_loss(LOSS, maps, known(heads))
    assert float(terms["depth"]) < 1e-2 < 1 < float(terms["offset"])


def test_what_is_no_head_counts_only_for_classes(heads):
    maps = said(heads)
    outside = ~torch.from_numpy(heads["head"])
    maps[:, :10][outside[:, None].expand(-1, 10, -1, -1)] = 7.0
    assert float(dense_loss(LOSS, maps, known(heads))["depth"]) == pytest.approx(0, abs=1e-3)


def test_false_confidence_costs_and_does_not_change_what_is_said(heads):
    maps = said(heads)
    maps[:, 0] += 0.05
    maps.requires_grad_()
    terms = dense_loss(LOSS, maps, known(heads))
    assert terms["certainty"].item() > 100
    (gradient,) = torch.autograd.grad(terms["certainty"], maps)
    assert float(gradient[:, :7].abs().max()) == 0 < float(gradient[:, 7].abs().max())


def test_mirrored_heads_are_mirrored_in_all_that_is_known_of_them(heads):
    seen, truth = learnt(np.repeat(heads[:1], 40, axis=0), np.random.default_rng(1))
    surface = kept_surface(heads[:1])[0]
    mirrored = surface[:, ::-1] * np.array([1, -1, 1, 1, -1, 1, 1])
    ways = [np.abs(each.permute(1, 2, 0).numpy() - surface).max() < 1e-6 for each in truth.surface]
    assert 5 < sum(ways) < 35
    other = truth.surface[ways.index(False)].permute(1, 2, 0).numpy()
    assert_allclose(other, mirrored, atol=1e-6)
    start = kept_surface(heads[:1], "start_")[0][:, ::-1] * np.array([1, -1, 1, 1, -1, 1, 1])
    assert_allclose(seen[ways.index(False), 4:].permute(1, 2, 0), start, atol=1e-6)


def test_a_run_gives_a_file_that_reads_back_and_goes_on(heads, checkpoint, model, tmp_path):
    folder = tmp_path / "run"
    (folder / "heads").mkdir(parents=True)
    np.save(folder / "heads" / "heads_00000.npy", np.repeat(heads, FILE // 8, axis=0))
    losses = []

    def train(steps: int):
        config = replace(CONFIG, schedule=replace(CONFIG.schedule, steps=steps))
        told = lambda step, total, loss: losses.append((step, loss))  # noqa: E731
        return train_dense(config, checkpoint, asset("bfm", OPEN_MODEL), folder, told)

    train(2)
    _, network = train(3)
    assert isinstance(network, UNetNetwork)

    assert [step for step, _ in losses] == [1, 2, 3] and np.isfinite([loss for _, loss in losses]).all()
    path = tmp_path / "face.dense.safetensors"
    write_dense(path, companion_info(checkpoint, model.info, "dense", "none"), SLIM, network.arrays())
    assert read_dense(replace(checkpoint, path=tmp_path / "face.safetensors")) is not None


def test_the_command_writes_a_dense_network_for_the_checkpoint(heads, checkpoint, tmp_path):
    folder = tmp_path / "run"
    (folder / "heads").mkdir(parents=True)
    np.save(folder / "heads" / "heads_00000.npy", np.repeat(heads, FILE // 8, axis=0))
    config = tmp_path / "dense.toml"
    text = Path("checkpoints/dense.toml").read_text(encoding="utf-8")
    for shipped, small in [("heads = 8192", f"heads = {FILE}"), ("batch_size = 32", "batch_size = 2"), ("3000", "1")]:
        assert shipped in text
        text = text.replace(shipped, small)
    config.write_text(text, encoding="utf-8")

    path = train_and_export_dense(TrainingCall(config, folder, None, 1, "cpu", Mock()))

    assert path == folder / "deep3d_resnet50.dense.safetensors"
    read = read_dense(replace(checkpoint, path=folder / "deep3d_resnet50.safetensors"))
    assert read is not None and all(np.isfinite(array).all() for array in read.arrays.values())


def test_of_dressed_heads_the_classes_alone_count(model, tmp_path):
    with DressedExamples(tmp_path, MAP_SIZE, 0, 1, Path("none"), None, 1):
        pass  # none are wanted
    heads = DressedHeadGenerator(model, 3).draw_dressed(2)
    kept = np.zeros(2, dressed_type(MAP_SIZE))
    kept["classes"], kept["crop"] = heads.classes, heads.crops[:, ::2, ::2]
    keep_surface(kept, "start_", heads.start)
    seen, truth = classified(kept, np.random.default_rng(1))
    assert seen.shape == (2, 11, MAP_SIZE, MAP_SIZE) and float(truth.weight.max()) == 0
    assert set(np.unique(truth.classes)) == set(SETS[np.unique(heads.classes)])
    assert SETS[UNKNOWN] == 0 and SETS[NOT_HAIR] & (1 << CLASSES.index("hair")) == 0


def test_files_of_heads_are_kept(heads, tmp_path):
    np.save(tmp_path / "heads_00000.npy", heads)
    examples = Examples.made(tmp_path, MAP_SIZE, 8, 1, Checkpoint, Path("none"), 1)  # pyright: ignore[reportArgumentType]
    batch = examples.batch(np.random.default_rng(1), 5)
    assert batch.shape == (5,) and batch.dtype == heads.dtype


def test_the_shipped_configuration_is_read_and_wrong_ones_are_named(tmp_path):
    shipped = Path(__file__).parents[3] / "checkpoints" / "dense.toml"
    assert read_dense_config(shipped).schedule.crop_size == MAP_SIZE
    wrong = tmp_path / "dense.toml"
    wrong.write_text(shipped.read_text().replace("crop_size = 112", "crop_size = 224"))
    with pytest.raises(ConfigError, match=r"dense\.toml: 'crop_size' is 224, it must be 112"):
        read_dense_config(wrong)


def test_a_network_can_go_on_from_what_was_written(heads, checkpoint):
    weights = read_dense(checkpoint)
    network = UNetNetwork(SLIM)
    network.take(weights.arrays)
    for name, array in network.arrays().items():
        assert_allclose(array, weights.arrays[name], rtol=1e-4, atol=1e-6, err_msg=name)
    seen, _ = learnt(heads, np.random.default_rng(1))
    features = Trunk(checkpoint)(seen[:, :3] + GREY)
    before = network.eval()(seen, features)
    restore_batch_norms(network, seen, features)
    assert_allclose(network(seen, features).detach(), before.detach(), atol=2e-3)
    in_training = network.train()(seen, features)
    assert float((in_training - before).detach().abs().mean()) < 0.1 * float(before.detach().abs().mean())


def test_without_a_network_there_is_nothing_to_go_on_from(checkpoint, tmp_path):
    alone = replace(checkpoint, path=tmp_path / "alone.safetensors")
    with pytest.raises(ConfigError, match="go_on"):
        start_from_dense(CONFIG, UNetNetwork(SLIM), alone, Trunk(checkpoint), Examples(()))


def test_a_damped_network_changes_the_mesh_by_so_much_less_and_sees_the_same(heads, checkpoint):
    weights, network = read_dense(checkpoint), UNetNetwork(SLIM)
    network.take(weights.arrays)
    seen, _ = learnt(heads[:2], np.random.default_rng(1))
    features = Trunk(checkpoint)(seen[:, :3] + GREY)
    with torch.no_grad():
        before = network.eval()(seen, features)
        network.damp(0.25)
        after = network(seen, features)
    assert_allclose(after[:, :7] - seen[:, 4:], 0.25 * (before[:, :7] - seen[:, 4:]), atol=1e-5)
    assert_allclose(after[:, 7:], before[:, 7:], atol=1e-6)
