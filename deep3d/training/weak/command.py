"""`deep3d train weak`: run a configuration in one process or several, and write the resulting checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deep3d.network.checkpoints import read_checkpoint
from deep3d.network.torch_regressor import network_arrays
from deep3d.training.call import TrainingCall, today
from deep3d.training.regressor.command import export
from deep3d.training.weak.config import read_weak_config
from deep3d.training.weak.learning import train_weakly


def fine_tune_and_export(call: TrainingCall, name: str) -> Path | None:
    """Train, or continue a run, and write the checkpoint as `regressor.command.export` does; gives its path.

    Of several processes only the leader writes, the others get None.

    Raises: ConfigError, CheckpointError, FaceModelError, DatasetError, PhotoError, LandmarksInvalid, TrainingError.
    """
    config = read_weak_config(call.config)
    start = read_checkpoint(config.start)
    model = call.read_model(start)
    with call.team() as team:
        network = train_weakly(config, start, model, call.folder, team, call.progress)
        if not team.leads:
            return None
        info = replace(
            start.info,
            name=name,
            version="1",
            training_data=f"{start.info.training_data}; then photos with landmarks, weakly supervised",
            accuracy={},
            created=today(),
            crop_size=config.schedule.crop_size,
        )
        return export(call.folder, info, network_arrays(network))
