"""Checkpoints of Deep3DFaceRecon_pytorch: read without running their code, checked, and converted to this project's."""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path

import numpy as np

from deep3d.coefficients import FIELDS
from deep3d.errors import CheckpointInvalid, CheckpointMismatch, CheckpointMissing, ExtraMissing
from deep3d.face_model import FaceModel
from deep3d.network.architecture import HEAD_WIDTHS
from deep3d.network.checkpoints import CheckpointInfo, checked_arrays, write_checkpoint

NETWORK = "net_recon"  # the reference's key of the regressor's state dict
LIGHTING_HEAD, WHITE_LIGHT = 4, 9  # a head for white light has the nine harmonics once, not for each channel
HEAD_NAMES = (*list(FIELDS)[:5], "translation x and y", "translation z")
TENSORFLOW_FILES = (".pb", ".index", ".meta", ".ckpt")
TENSORFLOW_NAMES = ("resnet_v1_50", "fc-id")  # of the variables in the network of Deep3DFaceReconstruction
TENSORFLOW = (
    "of the TensorFlow version, which is not read; give a .pth of Deep3DFaceRecon_pytorch, such as epoch_20.pth"
)


def import_checkpoint(source: str | Path, model: FaceModel, out: str | Path) -> None:
    """Convert the regressor of a .pth file to a checkpoint for a face model, without loss; nothing if it is invalid.

    A head for white light becomes one for coloured light whose channels are equal: the same light.

    Raises: CheckpointMissing, CheckpointInvalid, CheckpointMismatch if it predicts other coefficients than the model
    has, ExtraMissing without torch.
    """
    source, out = Path(source), Path(out)
    state = _state_dict(source)
    _require_heads(source, state, model)
    for entry in ("weight", "bias"):
        name = f"final_layers.{LIGHTING_HEAD}.{entry}"
        if name in state and len(state[name]) == WHITE_LIGHT:
            state[name] = np.concatenate([state[name]] * 3)
    trunk = "resnet50" if "backbone.layer1.0.conv3.weight" in state else "resnet18"
    info = CheckpointInfo(
        name=out.stem,
        version="1",
        trunk=trunk,
        face_model=f"{model.info.name} {model.info.version}",
        face_model_sha256=model.info.sha256,
        training_data=f"not known, imported from {source.name}",
        accuracy={},
        licence="that of its authors",
        created=datetime.date.today().isoformat(),
    )
    write_checkpoint(out, info, checked_arrays(source, trunk, state))


def _state_dict(path: Path) -> dict[str, np.ndarray]:
    """The arrays of `net_recon`."""
    content = _load(path)
    if not isinstance(content, dict) or not isinstance(content.get(NETWORK), dict):
        names = [*content] if isinstance(content, dict) else []
        if any(str(name).startswith(TENSORFLOW_NAMES) for name in names):
            raise CheckpointInvalid(f"{path}: weights {TENSORFLOW}")
        held = ", ".join(map(str, names[:3])) or type(content).__name__
        raise CheckpointInvalid(f"{path}: no {NETWORK!r} in it, but {held}; give a .pth of Deep3DFaceRecon_pytorch")
    network = content[NETWORK]
    if any(str(name).startswith(TENSORFLOW_NAMES) for name in network):
        raise CheckpointInvalid(f"{path}: weights {TENSORFLOW}")
    if foreign := [name for name, value in network.items() if not hasattr(value, "numpy")]:
        raise CheckpointInvalid(f"{path}: {foreign[0]!r} is not a tensor; fetch the file again")
    arrays = {name: value.detach().cpu() for name, value in network.items()}
    return {name: (value.float() if value.is_floating_point() else value).numpy() for name, value in arrays.items()}


def _load(path: Path):
    """The content of the file: tensors and plain values only."""
    if not path.is_file():
        raise CheckpointMissing(f"{path}: no checkpoint there; checkpoints/README.md says where to get it")
    if path.suffix in TENSORFLOW_FILES or ".data-" in path.name:
        raise CheckpointInvalid(f"{path}: a file {TENSORFLOW}")
    try:
        import torch
    except ImportError as error:
        raise ExtraMissing("a .pth file needs torch, which is not installed; pip install 'deep3d[torch]'") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointInvalid(
            f"{path}: contains more than weights, which could run code, or is damaged; not loaded, fetch it again"
        ) from error
    except Exception as error:  # the reader raises all kinds of errors on damaged files
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise CheckpointInvalid(f"{path}: damaged, or not a .pth file ({reason}); fetch it again") from error


def _require_heads(path: Path, state: dict[str, np.ndarray], model: FaceModel) -> None:
    """Raises: CheckpointInvalid without heads, CheckpointMismatch if one of them is too wide or too narrow."""
    if "final_layers.0.weight" not in state and "backbone.fc.weight" in state:
        raise CheckpointInvalid(f"{path}: one last layer instead of seven heads (use_last_fc), which is not supported")
    for head, (name, expected) in enumerate(zip(HEAD_NAMES, HEAD_WIDTHS, strict=True)):
        weight = state.get(f"final_layers.{head}.weight")
        width = None if weight is None else len(weight)
        if width is None or width == expected or (head == LIGHTING_HEAD and width == WHITE_LIGHT):
            continue
        raise CheckpointMismatch(f"{path}: its head for {name} gives {width} numbers, face models take {expected}")
    bases = {"identity": model.identity_basis, "expression": model.expression_basis, "albedo": model.albedo_basis}
    for name, basis in bases.items():
        components = int(np.any(basis, axis=1).sum())
        if components < len(basis):
            raise CheckpointMismatch(
                f"{path}: predicts {len(basis)} {name} coefficients, {model.info.name} has {components}; "
                "import the face model that it was trained for"
            )
