"""`deep3d train weak`: run a configuration in one process or several, and write the checkpoint that comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from deep3d.face_model import read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.network.checkpoints import read_checkpoint
from deep3d.network.torch_regressor import network_arrays
from deep3d.runtime.cores import usable_cores
from deep3d.training.loop import Progress
from deep3d.training.regressor.command import export
from deep3d.training.team import join_team
from deep3d.training.weak.config import read_weak_config
from deep3d.training.weak.learning import train_weakly


def fine_tune_and_export(
    config_path: Path,
    folder: Path,
    name: str,
    face_model: Path | None,
    threads: int | None,
    device: str,
    progress: Progress,
) -> Path | None:
    """Train, or go on training, and write the checkpoint as `command.export` does; gives the path of that.

    Of several processes only the leader writes, the others get None.

    Raises: ConfigError, CheckpointError, FaceModelError, DatasetError, PhotoError, LandmarksInvalid, TrainingError.
    """
    config = read_weak_config(config_path)
    model = read_face_model(face_model or asset("bfm", OPEN_MODEL))
    start = read_checkpoint(config.start)
    start.require_model(model.info)
    torch.set_num_threads(threads or usable_cores())
    with join_team(device) as team:
        network = train_weakly(config, start, model, folder, team, progress)
        if not team.leads:
            return None
        info = replace(
            start.info,
            name=name,
            version="1",
            training_data=f"{start.info.training_data}; then photos with landmarks, weakly supervised",
            accuracy={},
            created=datetime.now(UTC).date().isoformat(),
            crop_size=config.schedule.crop_size,
        )
        return export(folder, info, network_arrays(network))
