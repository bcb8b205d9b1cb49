"""A training run: a network, the running mean of its weights and the optimiser, saved whole and continued."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deep3d.coefficients import COEFFICIENT_COUNT, FIELDS
from deep3d.errors import ConfigError
from deep3d.files.whole_file import written_whole
from deep3d.network.torch_regressor import RegressorNetwork, StandardizedRegressor
from deep3d.training.config import RunConfig
from deep3d.training.team import ALONE, Team

OUTPUT_SCALE = {
    "identity": 1.0,
    "expression": 0.25,
    "albedo": 1.0,
    "rotation": 0.4,
    "lighting": 0.2,
    "translation": 0.3,
}
Kind = Literal["synthetic", "weak", "refiner", "dense"]


@dataclass
class Run:
    """The network in training, its progress, and the folder of its state."""

    kind: Kind
    config: RunConfig
    face_model_sha256: str  # of the face model's file
    folder: Path
    team: Team
    network: nn.Module
    architecture: str  # of the network
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0  # of the steps, in all calls

    @classmethod
    def new(
        cls,
        kind: Kind,
        config: RunConfig,
        face_model_sha256: str,
        folder: Path,
        network: nn.Module,
        architecture: str,
        team: Team = ALONE,
    ) -> Run:
        """A run at step 0, or at the step of the folder's state.pt; trains the parameters that require gradients.

        Raises: ConfigError if that state is damaged, or of another kind of run, network or face model.
        """
        network = network.to(team.device).to(memory_format=torch.channels_last)
        average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay), use_buffers=True)
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        on_gpu = team.device.type == "cuda"
        optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=config.weight_decay, fused=on_gpu)
        run = cls(kind, config, face_model_sha256, folder, team, network, architecture, average, optimizer)
        state = team.from_leader(run._read_state)
        if state is not None:
            run._load(state)
        return run

    def save(self) -> None:
        """Write the state, whole or not at all; only the leader does."""
        if not self.team.leads:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "kind": self.kind,
            "config": asdict(self.config) | {"trunk": self.architecture},
            "face_model_sha256": self.face_model_sha256,
            "regressor": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        with written_whole(self._path) as partial, partial.open("wb") as file:
            torch.save(state, file)

    @property
    def _path(self) -> Path:
        return self.folder / "state.pt"

    def _read_state(self) -> dict[str, Any] | None:
        """The state of an earlier call, if any; stages, loss weights and similar settings may have changed since."""
        path = self._path
        if not path.exists():
            return None
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            kind = state.get("kind", self.kind)
            trunk = state.get("config", {}).get("trunk", self.architecture)
            sha256 = state.get("face_model_sha256", self.face_model_sha256)
        except (OSError, EOFError, RuntimeError, ValueError, AttributeError, pickle.UnpicklingError) as error:
            raise self._damaged(error) from error
        if kind != self.kind:
            raise ConfigError(f"{path}: of a run of `deep3d train {kind}`, not {self.kind}; choose another folder")
        if trunk != self.architecture:
            raise ConfigError(f"{path}: of a run with trunk {trunk}, not {self.architecture}; choose another folder")
        if sha256 != self.face_model_sha256:
            raise ConfigError(
                f"{path}: of a run with face model {sha256[:12]}, not {self.face_model_sha256[:12]}; "
                "choose another folder, or the previous face model"
            )
        return state

    def _load(self, state: dict[str, Any]) -> None:
        try:
            self.network.load_state_dict(state["regressor"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds = state["step"], state.get("seconds", 0.0)
        except (RuntimeError, ValueError, KeyError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ConfigError:
        reason = str(error).partition("\n")[0]
        return ConfigError(
            f"{self._path}: not the state of such a run, or damaged ({reason}); remove it, or choose another folder"
        )


def averaged_regressor(run: Run) -> RegressorNetwork:
    """The plain network of the running mean of a run that trains a `StandardizedRegressor`, in main memory."""
    regressor = run.average.module
    if not isinstance(regressor, StandardizedRegressor):
        raise TypeError(f"average: expected a StandardizedRegressor, got {type(regressor).__name__}")
    return regressor.fold().eval().cpu()


def output_scale() -> tuple[Tensor, Tensor]:
    """Mean and scale (257,) of the coefficients, for `StandardizedRegressor`."""
    scale = torch.ones(COEFFICIENT_COUNT)
    for name, part in FIELDS.items():
        scale[part] = OUTPUT_SCALE[name]
    return torch.zeros(COEFFICIENT_COUNT), scale
