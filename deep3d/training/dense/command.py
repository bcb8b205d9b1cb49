"""`deep3d train dense`: run a configuration, and write the dense network that comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import torch

from deep3d.dense import DenseInfo, dense_path, write_dense
from deep3d.face_model import read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.face_model.model import ModelInfo
from deep3d.files.assets import asset
from deep3d.network.checkpoints import Checkpoint, read_checkpoint
from deep3d.runtime.cores import usable_cores
from deep3d.training.dense.config import read_dense_config
from deep3d.training.dense.learning import train_dense
from deep3d.training.loop import Progress
from deep3d.training.team import join_team


def train_and_export_dense(
    config_path: Path,
    folder: Path,
    face_model: Path | None,
    threads: int | None,
    device: str,
    progress: Progress,
) -> Path | None:
    """Train, or go on training, and write the network under the name that it has beside the checkpoint; gives its path.

    Of several processes only the leader writes, the others get None.

    Raises: ConfigError, CheckpointError, FaceModelError, TrainingError.
    """
    config = read_dense_config(config_path)
    start = read_checkpoint(config.start)
    model_path = face_model or asset("bfm", OPEN_MODEL)
    model = read_face_model(model_path).info
    start.require_model(model)
    torch.set_num_threads(threads or usable_cores())
    with join_team(device) as team:
        network = train_dense(config, start, model_path, folder, progress, team)
        if not team.leads:
            return None
    path = folder / dense_path(start).name
    write_dense(path, dense_info(start, model), network.arrays())
    return path


def dense_info(start: Checkpoint, model: ModelInfo) -> DenseInfo:
    """What the file of a network of today says of itself."""
    return DenseInfo(
        name=f"{start.info.name}_dense",
        version="1",
        face_model=f"{model.name} {model.version}",
        face_model_sha256=model.sha256,
        training_data="synthetic heads of free shapes round the face model's population",
        licence="MIT",
        created=datetime.now(UTC).date().isoformat(),
    )
