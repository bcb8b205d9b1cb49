"""`deep3d train`: run a configuration and write the checkpoint that comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import torch

from deep3d.assets import asset
from deep3d.checkpoints import CheckpointInfo, write_checkpoint
from deep3d.face_model import read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.network import network_arrays
from deep3d.runtime.tuning import usable_cores
from deep3d.training.config import read_config
from deep3d.training.loop import Progress, train


def train_and_export(
    config_path: Path, folder: Path, name: str, face_model: Path | None, threads: int | None, progress: Progress
) -> Path:
    """Train, or go on training, and write the checkpoint in eight bits, `folder`/`name`.safetensors; gives its path.

    Beside it lies `name`.float32.safetensors, to compare with and to train on from.

    Raises: ConfigError, FaceModelError, DatasetError.
    """
    config = read_config(config_path)
    model_path = face_model or asset("bfm", OPEN_MODEL)
    model = read_face_model(model_path).info
    torch.set_num_threads(threads or usable_cores())
    network = train(config, model_path, folder, progress)
    data = "synthetic heads of the face model's population"
    if config.portraits:
        data += ", and landmarks of the tuning half of a portrait set"
    info = CheckpointInfo(
        name=name,
        version="1",
        trunk=config.trunk,
        face_model=model.name,
        face_model_sha256=model.sha256,
        training_data=data,
        accuracy={},
        licence="MIT",
        created=datetime.now(UTC).date().isoformat(),
        crop_size=config.stages[-1].crop_size,
    )
    path = folder / f"{name}.safetensors"
    write_checkpoint(folder / f"{name}.float32.safetensors", info, network_arrays(network), storage="float32")
    write_checkpoint(path, info, network_arrays(network), storage="int8")
    return path
