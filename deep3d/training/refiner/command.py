"""`deep3d train refiner`: run a configuration, and write the resulting refiner."""

from __future__ import annotations

from pathlib import Path

from deep3d.errors import ConfigError
from deep3d.network.checkpoints import read_checkpoint
from deep3d.refiner import refiner_path, write_refiner
from deep3d.training.call import TrainingCall, companion_info
from deep3d.training.portraits import training_data
from deep3d.training.refiner.config import read_refiner_config
from deep3d.training.refiner.learning import train_refiner


def train_and_export_refiner(call: TrainingCall) -> Path | None:
    """Train, or continue a run, and write the refiner's file, to be put beside the checkpoint; gives its path.

    Of several processes only the leader writes, the others get None.

    Raises: ConfigError, CheckpointError, FaceModelError, DatasetError, TrainingError.
    """
    config = read_refiner_config(call.config)
    start = read_checkpoint(config.start)
    if not start.dense_vertices:
        raise ConfigError(f"{start.path}: has no dense landmarks to refine; choose another checkpoint")
    model = call.read_model(start)
    with call.team() as team:
        network = train_refiner(config, start, call.model_path, call.folder, call.progress, team)
        if not team.leads:
            return None
    data = training_data(config.portrait_share > 0, config.traced_share > 0)
    path = call.folder / refiner_path(start).name
    info = companion_info(start, model.info, "refiner", data)
    write_refiner(path, info, start.dense_vertices, network.arrays())
    return path
