"""`deep3d train dense`: run a configuration, and write the resulting dense network."""

from __future__ import annotations

from pathlib import Path

from deep3d.dense import dense_path, write_dense
from deep3d.network.checkpoints import read_checkpoint
from deep3d.training.call import TrainingCall, companion_info
from deep3d.training.dense.backbones import file_arrays
from deep3d.training.dense.config import read_dense_config
from deep3d.training.dense.learning import train_dense

TRAINING_DATA = (
    "synthetic heads of free shapes round the face model's population, dressed heads, portraits of outlined hair"
)
CONFIDENT = 0.5
"""Share of the changes to the mesh that is kept. With half of them the error on 256 other heads is least: those that it
was learned from are few."""


def train_and_export_dense(call: TrainingCall) -> Path | None:
    """Train, or continue a run, and write the network's file, to be put beside the checkpoint; gives its path.

    Of several processes only the leader writes, the others get None.

    Raises: ConfigError, CheckpointError, FaceModelError, TrainingError, ExtraMissing.
    """
    config = read_dense_config(call.config)
    start = read_checkpoint(config.start)
    model = call.read_model(start)
    with call.team() as team:
        backbone, network = train_dense(config, start, call.model_path, call.folder, call.progress, team)
        if not team.leads:
            return None
    network.damp(CONFIDENT)
    path = call.folder / dense_path(start).name
    info = companion_info(start, model.info, "dense", TRAINING_DATA)
    write_dense(path, info, config.network, file_arrays(backbone, network))
    return path
