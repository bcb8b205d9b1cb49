"""The configuration of `deep3d train weak`, read from a TOML file; checkpoints/weak.toml is an example."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from deep3d.camera import CROP_SIZE
from deep3d.errors import ConfigError
from deep3d.training.config import RANGES, ConfigTable, RunConfig, Schedule

TRUNK_PARTS = ("conv1", "layer1", "layer2", "layer3", "layer4", "heads")
"""From the photo to the coefficients."""


@dataclass(frozen=True)
class WeakWeights:
    """Weights of the terms of weak_losses.py."""

    photometric: float  # per unit of [0, 1]
    landmarks: float  # per square crop pixel
    recognition: float  # per unit of 1 - cosine
    identity: float  # per squared standard deviation, summed over the coefficients
    expression: float  # per squared unit, summed
    albedo: float  # per squared standard deviation, summed
    flatness: float  # per squared unit of [0, 1], summed over the channels
    light: float  # per squared unit of the lighting coefficients
    dense: float  # per crop pixel


@dataclass(frozen=True)
class Augmentation:
    """The largest differences of a crop from the aligned one, either way."""

    shift: float  # crop pixels
    scale: float  # share
    turn: float  # degrees


@dataclass(frozen=True)
class WeakConfig(RunConfig):
    """A run on real photos."""

    photos: tuple[str, ...]  # folders and lists of photos, see photo_sources.py
    held_out: int  # every so-many-th photo is for measuring, not training; 0 for none
    workers: int  # processes that read photos; 0 to read them in the training process
    train_from: str  # one of TRUNK_PARTS; earlier parts do not change
    loss: WeakWeights
    augmentation: Augmentation
    schedule: Schedule
    start: str | None = None  # checkpoint file to start from, instead of the shipped one
    recogniser: str | None = None  # file of a face recogniser, see recogniser.py


_RANGES = RANGES | {
    "held_out": (0, 10**6),
    "workers": (0, 256),
    "shift": (0, 16),
    "scale": (0, 0.15),
    "turn": (0, 15),
    **{field.name: (0, 10**6) for field in fields(WeakWeights)},
}


def read_weak_config(path: str | Path) -> WeakConfig:
    """Read a configuration file.

    Raises: ConfigError naming the file and the field.
    """
    table = ConfigTable.read(Path(path), "checkpoints/weak.toml")
    values = table.values
    values["loss"] = table.section("loss", WeakWeights, _RANGES)
    values["augmentation"] = table.section("augmentation", Augmentation, _RANGES)
    values["schedule"] = table.section("schedule", Schedule, _RANGES)
    photos = values.get("photos", [])
    if not isinstance(photos, list) or not photos:
        raise ConfigError(f"{path}: 'photos' is {photos!r}, it must be a list of at least one folder or file")
    values["photos"] = tuple(table.file_name("photos", name) for name in photos)
    for name in ("start", "recogniser"):
        if values.get(name) is not None:
            values[name] = table.file_name(name, values[name])
    config = table.parse("the file", WeakConfig, values, _RANGES)
    _check(table.path, config)
    return config


def _check(path: Path, config: WeakConfig) -> None:
    if config.train_from not in TRUNK_PARTS:
        raise ConfigError(f"{path}: 'train_from' is {config.train_from!r}, choose one of {', '.join(TRUNK_PARTS)}")
    if config.held_out == 1:
        raise ConfigError(f"{path}: 'held_out' is 1, which leaves no photo to train on; 0 holds none out")
    if CROP_SIZE % config.schedule.crop_size:
        raise ConfigError(
            f"{path}: 'crop_size' is {config.schedule.crop_size}, it must be a whole fraction of {CROP_SIZE}"
        )
    if config.loss.recognition > 0 and config.recogniser is None:
        raise ConfigError(f"{path}: 'recognition' is above 0, but 'recogniser' names no file; name one, or set it to 0")
