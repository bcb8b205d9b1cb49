"""What every `deep3d train` command takes, and the start that all of them have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from deep3d.face_model import FaceModel, read_face_model
from deep3d.face_model.files import OPEN_MODEL
from deep3d.face_model.model import ModelInfo
from deep3d.files.assets import asset
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.companions import CompanionInfo
from deep3d.runtime.cores import usable_cores
from deep3d.training.loop import Progress
from deep3d.training.team import Team, join_team


@dataclass(frozen=True)
class TrainingCall:
    """The arguments of a training command."""

    config: Path  # TOML file
    folder: Path  # of the run; an earlier run in it continues
    face_model: Path | None  # the shipped one where none is named
    threads: int | None  # all usable cores where none is given
    device: str  # cpu or cuda
    progress: Progress

    @property
    def model_path(self) -> Path:
        """The face model's file."""
        return self.face_model or asset("bfm", OPEN_MODEL)

    def read_model(self, start: Checkpoint | None = None) -> FaceModel:
        """The face model, once it is known to be the one that a checkpoint belongs to.

        Raises: FaceModelError; CheckpointMismatch.
        """
        model = read_face_model(self.model_path)
        if start is not None:
            start.require_model(model.info)
        return model

    @contextmanager
    def team(self) -> Iterator[Team]:
        """The processes that train together.

        Raises: TrainingError if the device does not exist.
        """
        torch.set_num_threads(self.threads or usable_cores())
        with join_team(self.device) as team:
            yield team


def today() -> str:
    """The date for a file's metadata, ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def companion_info(start: Checkpoint, model: ModelInfo, role: str, training_data: str) -> CompanionInfo:
    """The metadata of a network trained today, to stand beside a checkpoint in a role such as "refiner"."""
    return CompanionInfo(
        name=f"{start.info.name}_{role}",
        version="1",
        face_model=f"{model.name} {model.version}",
        face_model_sha256=model.sha256,
        training_data=training_data,
        licence="MIT",
        created=today(),
    )
