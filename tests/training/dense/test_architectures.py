"""The choice of the dense network's architecture: runs of each, from the configuration to maps of a photo."""

# pyright: reportOptionalMemberAccess=false

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from deep3d.dense import FULL, DenseEstimator, Dpt, read_dense
from deep3d.errors import ConfigError
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime import Choice
from deep3d.synthetic.dressed_heads import DressedHeadGenerator
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.training.call import TrainingCall
from deep3d.training.dense import config
from deep3d.training.dense.backbones import Transformer, Trunk
from deep3d.training.dense.command import train_and_export_dense
from deep3d.training.dense.config import read_dense_config
from deep3d.training.dense.dressed import dressed_type
from deep3d.training.dense.examples import draw_examples, keep_surface, read_examples

SIZE = 224
EXAMPLE = Path(__file__).parents[3] / "checkpoints" / "dense.toml"
SMALL = [
    ("heads = 8192", "heads = 64"),
    ("crop_size = 112", f"crop_size = {SIZE}"),
    ("batch_size = 32", "batch_size = 2"),
]
BACKBONE = "test_vit"
NARROW = replace(FULL, grids=(8, 12, 16, 24, 32))
needs_timm = pytest.mark.skipif(find_spec("timm") is None, reason="needs timm")


def configuration(folder: Path, *lines: str, steps: int = 1) -> Path:
    """The shipped example with further lines, for a very short run."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for shipped, small in [*SMALL, ("steps = 3000", f"steps = {steps}")]:
        assert shipped in text
        text = text.replace(shipped, small)
    path = folder / "dense.toml"
    path.write_text("\n".join([*lines, text]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def heads(model, checkpoint) -> np.ndarray:
    """Two heads in maps of 224 pixels."""
    fit = Reconstructor.load(checkpoint.path, threads=1).fit_crops
    return np.concatenate(list(draw_examples(model, fit, FreeShapes.of(model).draw, SIZE, seed=7, count=2)))


@pytest.fixture
def run(heads, tmp_path) -> Path:
    """A run's folder, its heads drawn."""
    folder = tmp_path / "run"
    (folder / "heads").mkdir(parents=True)
    np.save(folder / "heads" / "heads_00000.npy", heads)
    return folder


@pytest.fixture
def vit(tmp_path) -> Path:
    """Weights of a tiny vision transformer, as timm has them."""
    import timm  # pyright: ignore[reportMissingImports]

    torch.manual_seed(2)
    save_file(timm.create_model(BACKBONE, pretrained=False).state_dict(), tmp_path / "vit.safetensors")
    return tmp_path / "vit.safetensors"


def trained(file: Path, folder: Path) -> Path:
    path = train_and_export_dense(TrainingCall(file, folder, None, 1, "cpu", Mock()))
    assert path is not None
    return path


def maps_of_a_photo(checkpoint, written: Path):
    owner = replace(checkpoint, path=written.with_name("deep3d_resnet50.safetensors"))
    face = Reconstructor.load(refinement="none", threads=1)("docs/sample/astronaut.jpg")
    weights = read_dense(owner)
    assert weights is not None
    estimator = DenseEstimator.load(weights, checkpoint, face.face_model, Choice("onnx", "fp32"), 1)
    return estimator(face.crop.image[None], face.coefficients, [face.camera])


def test_a_full_network_is_trained_and_used(checkpoint, run, tmp_path, monkeypatch):
    monkeypatch.setitem(config.UNETS, "full", NARROW)  # as deep as that
    written = trained(configuration(tmp_path, 'architecture = "full"'), run)
    read = read_dense(replace(checkpoint, path=run / "deep3d_resnet50.safetensors"))
    assert read.architecture == NARROW
    maps = maps_of_a_photo(checkpoint, written)
    assert maps.classes.shape[1:3] == (SIZE, SIZE) and maps.surface.covered.mean() > 0.1
    assert np.isfinite(maps.surface.height).all() and maps.surface.at(112).height.shape == (1, 112, 112)


@needs_timm
def test_a_dpt_is_trained_on_a_frozen_backbone_and_used_and_goes_on(checkpoint, run, vit, tmp_path):
    lines = ('architecture = "dpt"', f'backbone = "{BACKBONE}"', f'weights = "{vit.name}"')
    written = trained(configuration(tmp_path, *lines), run)
    read = read_dense(replace(checkpoint, path=run / "deep3d_resnet50.safetensors"))
    assert read.architecture == Dpt(SIZE, BACKBONE, 128)
    maps = maps_of_a_photo(checkpoint, written)
    assert maps.surface.height.shape == (1, SIZE, SIZE) and np.isfinite(maps.surface.height).all()
    before = {name: value for name, value in read.arrays.items() if name.startswith("backbone.")}
    trained(configuration(tmp_path, *lines, steps=2), run)
    after = read_dense(replace(checkpoint, path=run / "deep3d_resnet50.safetensors")).arrays
    assert all(np.array_equal(after[name], value) for name, value in before.items())
    assert not np.array_equal(after["head.join.bias"], read.arrays["head.join.bias"])


@needs_timm
def test_weights_that_are_not_the_backbones_are_named(vit, tmp_path):
    with pytest.raises(ConfigError, match=r"vit\.safetensors: no weights of the backbone vit_tiny_patch16_224"):
        Transformer("vit_tiny_patch16_224", vit)
    with pytest.raises(ConfigError, match=r"none\.safetensors: cannot be read"):
        Transformer(BACKBONE, tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['architecture = "gan"'], "'architecture' is 'gan', choose one of slim, full, dpt"),
        (['architecture = "dpt"'], "'backbone' is missing, which a dpt needs"),
        (['architecture = "dpt"', f'backbone = "{BACKBONE}"'], "'weights' is missing, which a dpt needs"),
        (['weights = "a.safetensors"'], "'weights' is for the architecture dpt alone"),
        ([], "'crop_size' is 224, it must be 112 for the architecture slim"),
    ],
)
def test_configurations_that_describe_no_network_are_refused(lines, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        read_dense_config(configuration(tmp_path, *lines))


def test_heads_in_maps_of_another_size_are_refused(run):
    with pytest.raises(ConfigError, match=r"heads_00000\.npy: drawn for a network with maps of another size"):
        read_examples(run / "heads" / "heads_00000.npy", dressed_type(112))


def test_the_trunk_sees_crops_at_its_own_size(checkpoint):
    trunk = Trunk(checkpoint)
    crops = torch.rand(1, 3, 112, 112)
    large = torch.nn.functional.interpolate(crops, scale_factor=2.0)
    for small, same in zip(trunk(crops), trunk(large), strict=True):
        torch.testing.assert_close(small, same)


def test_dressed_heads_have_classes_in_larger_maps_too(model):
    small, large = (DressedHeadGenerator(model, 3, map_size=size).draw_dressed(1) for size in (112, SIZE))
    assert large.classes.shape == large.start.height.shape == (1, SIZE, SIZE)
    assert (large.classes[:, ::2, ::2] == small.classes).mean() > 0.9
    kept = np.zeros(1, dressed_type(SIZE))
    kept["classes"] = large.classes
    keep_surface(kept, "start_", large.start)
    assert np.abs(kept["start_height"]).max() > 0
