import pickle
from dataclasses import replace
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest
import torch

from deep3d.errors import CheckpointInvalid, CheckpointMismatch, CheckpointMissing, Deep3DError
from deep3d.face_model import Components
from deep3d.lighting import irradiance
from deep3d.network.checkpoints import read_checkpoint
from deep3d.network.foreign import import_checkpoint
from deep3d.network.torch_regressor import RegressorConfig, RegressorNetwork
from deep3d.regression import Regressor
from deep3d.runtime import available_runtimes, load_runtime

WHITE = {"final_layers.4.weight": (9, 512, 1, 1), "final_layers.4.bias": (9,)}


@pytest.fixture
def state(toy_checkpoint_arrays) -> dict[str, torch.Tensor]:
    """A state dict as the reference saves it, of the small trunk."""
    return {name: torch.tensor(value) for name, value in toy_checkpoint_arrays.items()}


@pytest.fixture
def saved(tmp_path):
    """A function that saves something as epoch_20.pth."""

    def save(content: Any) -> Path:
        torch.save(content, tmp_path / "epoch_20.pth")
        return tmp_path / "epoch_20.pth"

    return save


def assert_refused(source: Path, model, kind: type[Deep3DError], *words: str) -> None:
    out = source.with_name("out.safetensors")
    out.write_bytes(b"an older one")
    with pytest.raises(kind) as caught:
        import_checkpoint(source, model, out)
    message = str(caught.value)
    assert message.startswith(f"{source}: ") and "\n" not in message
    for word in words:
        assert word in message
    assert out.read_bytes() == b"an older one"
    assert {path.name for path in source.parent.iterdir()} <= {source.name, out.name}


def predict(path: Path, crops: np.ndarray, runtime: str = "eager") -> np.ndarray:
    loaded = load_runtime(read_checkpoint(path), runtime, precision="fp32")
    return Regressor(loaded)(crops).coefficients.to_vector()


def test_an_imported_checkpoint_predicts_what_the_reference_does(shared, tmp_path, bfm2009_model):
    fill = run_path(str(shared / "parity" / "seeded_weights.py"))["fill"]
    optimiser = {"state": {0: {"step": 5}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    weights = {"net_recon": fill(RegressorNetwork()).state_dict(), "opt_00": optimiser}
    torch.save(weights, tmp_path / "epoch_20.pth")

    import_checkpoint(tmp_path / "epoch_20.pth", bfm2009_model, tmp_path / "deep3d.safetensors")

    with np.load(shared / "parity" / "network.npz") as golden, np.load(shared / "parity" / "alignment.npz") as photos:
        expected, crops = golden["output"], photos["crop"][golden["crop_index"]]
        keys = [str(key) for key in golden["key_order"]]
        sums = dict(zip(map(str, golden["key"]), golden["weight_sum"]))
    checkpoint = read_checkpoint(tmp_path / "deep3d.safetensors")
    checkpoint.require_model(bfm2009_model.info)
    assert [*checkpoint.arrays] == keys
    for name, value in checkpoint.arrays.items():
        assert value.astype(np.float64).sum() == pytest.approx(sums[name], abs=1e-4)
    for runtime in available_runtimes():
        output = predict(checkpoint.path, crops, runtime)
        np.testing.assert_allclose(output, expected, rtol=0, atol=1e-4, err_msg=runtime)


def test_weights_come_over_unchanged(saved, state, toy_checkpoint_arrays, toy_face_model, tmp_path):
    import_checkpoint(saved({"net_recon": state}), toy_face_model, tmp_path / "mine.safetensors")
    checkpoint = read_checkpoint(tmp_path / "mine.safetensors")
    assert checkpoint.storage == "float32" and checkpoint.info.name == "mine" and checkpoint.info.trunk == "resnet18"
    for name, value in toy_checkpoint_arrays.items():
        np.testing.assert_array_equal(checkpoint.arrays[name], value, strict=True)


def test_white_light_stays_white_and_as_bright(saved, state, toy_face_model, tmp_path):
    generator = torch.Generator().manual_seed(9)
    state |= {name: 0.001 * torch.randn(shape, generator=generator) for name, shape in WHITE.items()}
    network = RegressorNetwork(RegressorConfig(trunk="resnet18"))
    network.final_layers[4] = torch.nn.Conv2d(512, 9, 1)
    network.load_state_dict(state)
    crops = np.random.default_rng(9).integers(0, 256, (2, 224, 224, 3), np.uint8)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(crops).permute(0, 3, 1, 2) / 255).numpy()

    import_checkpoint(saved({"net_recon": state}), toy_face_model, tmp_path / "white.safetensors")

    output = predict(tmp_path / "white.safetensors", crops)
    np.testing.assert_allclose(output[:, :227], expected[:, :227], atol=1e-5)
    np.testing.assert_allclose(output[:, 254:], expected[:, 236:], atol=1e-5)
    normals = toy_face_model.normals(toy_face_model.mean_shape[None]).repeat(2, axis=0)
    np.testing.assert_allclose(
        irradiance(normals, output[:, 227:254]), irradiance(normals, expected[:, 227:236]), atol=1e-4
    )


def test_a_missing_file_and_damaged_ones(tmp_path, saved, state, toy_face_model):
    with pytest.raises(CheckpointMissing, match=r"none\.pth: no checkpoint there"):
        import_checkpoint(tmp_path / "none.pth", toy_face_model, tmp_path / "out.safetensors")
    path = saved({"net_recon": state})
    for content in (path.read_bytes()[:-1000], b"", b"not a checkpoint", b"\x80\x02}q\x00."):
        path.write_bytes(content)
        assert_refused(path, toy_face_model, CheckpointInvalid)


def test_a_file_that_would_run_code_is_not_loaded(tmp_path, saved, toy_face_model):
    proof = tmp_path.parent / f"{tmp_path.name}.proof"

    class Harmful:
        def __reduce__(self):
            return (Path.touch, (proof,))

    assert_refused(saved({"net_recon": Harmful()}), toy_face_model, CheckpointInvalid, "could run code", "not loaded")
    path = tmp_path / "epoch_20.pth"
    path.write_bytes(pickle.dumps({"net_recon": Harmful()}, protocol=2))
    assert_refused(path, toy_face_model, CheckpointInvalid, "not loaded")
    assert not proof.exists()


@pytest.mark.parametrize("name", ["FaceReconModel.pb", "model.ckpt-1.index", "model.ckpt-1.data-00000-of-00001"])
def test_files_of_tensorflow_are_told_apart(tmp_path, toy_face_model, name):
    (tmp_path / name).write_bytes(b"\x0a\x1d\x0a\x0binput_imgs")
    assert_refused(tmp_path / name, toy_face_model, CheckpointInvalid, "TensorFlow", "epoch_20.pth")


@pytest.mark.parametrize("where", ["top", "net_recon"])
def test_weights_of_tensorflow_in_a_pth_file_are_told_apart(saved, toy_face_model, where):
    weights = {"resnet_v1_50/conv1/weights": torch.zeros(7, 7, 3, 64), "fc-id/weights": torch.zeros(1, 1, 2048, 80)}
    path = saved(weights if where == "top" else {"net_recon": weights})
    assert_refused(path, toy_face_model, CheckpointInvalid, "TensorFlow version")


def test_contents_that_are_no_regressor(saved, state, toy_face_model):
    assert_refused(saved(state), toy_face_model, CheckpointInvalid, "no 'net_recon'", "backbone.conv1.weight")
    assert_refused(saved([1, 2]), toy_face_model, CheckpointInvalid, "no 'net_recon'")
    assert_refused(
        saved({"net_recon": state | {"epoch": 20}}), toy_face_model, CheckpointInvalid, "'epoch' is not a tensor"
    )
    heads = {name: value for name, value in state.items() if name.startswith("backbone")}
    single = heads | {"backbone.fc.weight": torch.zeros(257, 512), "backbone.fc.bias": torch.zeros(257)}
    assert_refused(saved({"net_recon": single}), toy_face_model, CheckpointInvalid, "use_last_fc")
    assert_refused(saved({"net_recon": heads}), toy_face_model, CheckpointInvalid, "'final_layers.0.bias' is missing")


def test_weights_that_are_not_numbers(saved, state, toy_face_model):
    state["backbone.layer3.0.conv1.weight"][0, 0, 0, 0] = torch.nan
    path = saved({"net_recon": state})
    assert_refused(path, toy_face_model, CheckpointInvalid, "backbone.layer3.0.conv1.weight", "not finite")


@pytest.mark.parametrize(("head", "width", "name"), [(0, 100, "identity"), (1, 79, "expression"), (4, 12, "lighting")])
def test_heads_of_other_widths(saved, state, toy_face_model, head, width, name):
    state |= {f"final_layers.{head}.weight": torch.zeros(width, 512, 1, 1)}
    state |= {f"final_layers.{head}.bias": torch.zeros(width)}
    assert_refused(saved({"net_recon": state}), toy_face_model, CheckpointMismatch, f"head for {name} gives {width}")


def test_a_model_with_fewer_components(saved, state, toy_face_model):
    basis = toy_face_model.expression_basis.copy()
    basis[6:] = 0
    model = replace(toy_face_model, expression_components=Components.of(basis))
    assert_refused(saved({"net_recon": state}), model, CheckpointMismatch, "64 expression", "toy has 6")
