"""The configuration of a refiner's training, read from a TOML file; such as checkpoints/refiner.toml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from deep3d.camera import CROP_SIZE
from deep3d.errors import ConfigError
from deep3d.training.config import RANGES, ConfigTable, Ranges, RunConfig, Schedule


@dataclass(frozen=True)
class RefinerLossWeights:
    """Weights of the terms of `refiner.refiner_loss`."""

    dense: float  # per crop pixel
    certainty: float  # per nat
    portraits: float  # times the first two, on portraits


@dataclass(frozen=True)
class RefinerConfig(RunConfig):
    """A run of `deep3d train refiner`."""

    heads: int  # drawn before training begins
    workers: int  # processes that draw them
    portrait_share: float  # of each batch, at most half: real portraits with landmarks; needs `portraits`
    portrait_crops: int  # of the portraits, drawn before training begins
    loss: RefinerLossWeights
    schedule: Schedule
    portraits: str | None = None  # folder of photos/ and landmarks.npz
    traced: str | None = None  # folder of path-traced heads
    traced_share: float = 0.0  # of the heads of each batch; needs `traced`
    start: str | None = None  # checkpoint of the faces to refine, by default the shipped one
    go_on: bool = False  # start from the refiner beside that checkpoint, not from random weights


REFINER_RANGES: Ranges = RANGES | {
    "heads": (64, 10**8),
    "portrait_crops": (0, 10**7),
    "traced_share": (0.0, 1.0),
    **{field.name: (0.0, 10.0**6) for field in fields(RefinerLossWeights)},
}


def read_refiner_config(path: str | Path) -> RefinerConfig:
    """Read a configuration file.

    Raises: ConfigError naming the file and the field.
    """
    table = ConfigTable.read(Path(path), "checkpoints/refiner.toml")
    values = table.values
    values["loss"] = table.section("loss", RefinerLossWeights, REFINER_RANGES)
    values["schedule"] = table.section("schedule", Schedule, REFINER_RANGES)
    for name in ("portraits", "traced", "start"):
        if values.get(name) is not None:
            values[name] = table.file_name(name, values[name])
    config = table.parse("the file", RefinerConfig, values, REFINER_RANGES)
    if config.schedule.crop_size != CROP_SIZE:
        raise ConfigError(
            f"{path}: 'crop_size' is {config.schedule.crop_size}, it must be {CROP_SIZE}, as charts use whole crops"
        )
    if config.portrait_share > 0 and (config.portraits is None or not config.portrait_crops):
        raise ConfigError(f"{path}: 'portrait_share' is above 0, but 'portraits' or 'portrait_crops' is missing")
    if config.traced_share > 0 and config.traced is None:
        raise ConfigError(f"{path}: 'traced_share' is above 0, but 'traced' is missing")
    return config
