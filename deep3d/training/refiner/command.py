"""`deep3d train refiner`: run a configuration, and write the refiner that comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import torch

from deep3d.errors import ConfigError
from deep3d.face_model import read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.network.checkpoints import read_checkpoint
from deep3d.refiner import RefinerInfo, refiner_path, write_refiner
from deep3d.runtime.cores import usable_cores
from deep3d.training.loop import Progress
from deep3d.training.portraits import training_data
from deep3d.training.refiner.config import read_refiner_config
from deep3d.training.refiner.learning import train_refiner
from deep3d.training.team import join_team


def train_and_export_refiner(
    config_path: Path,
    folder: Path,
    face_model: Path | None,
    threads: int | None,
    device: str,
    progress: Progress,
) -> Path | None:
    """Train, or go on training, and write the refiner under the name that it has beside the checkpoint; gives its path.

    Of several processes only the leader writes, the others get None.

    Raises: ConfigError, CheckpointError, FaceModelError, DatasetError, TrainingError.
    """
    config = read_refiner_config(config_path)
    start = read_checkpoint(config.start)
    if not start.dense_vertices:
        raise ConfigError(f"{start.path}: has no dense landmarks to refine; choose another checkpoint")
    model_path = face_model or asset("bfm", OPEN_MODEL)
    model = read_face_model(model_path).info
    start.require_model(model)
    torch.set_num_threads(threads or usable_cores())
    with join_team(device) as team:
        network = train_refiner(config, start, model_path, folder, progress, team)
        if not team.leads:
            return None
    info = RefinerInfo(
        name=f"{start.info.name}_refiner",
        version="1",
        face_model=f"{model.name} {model.version}",
        face_model_sha256=model.sha256,
        training_data=training_data(bool(config.portraits) and config.portrait_share > 0),
        licence="MIT",
        created=datetime.now(UTC).date().isoformat(),
    )
    path = folder / refiner_path(start).name
    write_refiner(path, info, start.dense_vertices, network.arrays())
    return path
