"""The configuration of a training run, read from a TOML file; such as checkpoints/resnet50.toml."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from deep3d.camera import CROP_SIZE
from deep3d.errors import ConfigError
from deep3d.network.architecture import TRUNKS

CROP_STEP = 16  # pixels

T = TypeVar("T")
Ranges = dict[str, tuple[float, float]]
"""The smallest and the largest value of every number, by name."""


@dataclass(frozen=True)
class Schedule:
    """A part of a run with one crop size."""

    crop_size: int  # pixels, a multiple of 16; the last one's a whole fraction of 224
    batch_size: int
    steps: int
    learning_rate: float  # peak, after the warm-up; falls to `final_rate` of it along a cosine
    final_rate: float


@dataclass(frozen=True)
class Stage(Schedule):
    """A part of a run on synthetic heads."""

    portrait_share: float  # of each batch, at most half: real portraits with landmarks; needs `portraits`


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms of losses.py."""

    projection: float  # per crop pixel
    identity: float  # per millimetre
    expression: float  # per millimetre
    profile: float  # per millimetre of depth
    pose: float  # per degree
    colour: float  # per unit of [0, 1]
    coefficients: float  # per standard deviation
    landmarks: float  # per crop pixel, on portraits
    dense: float  # per crop pixel
    certainty: float  # per nat


@dataclass(frozen=True)
class RunConfig:
    """Settings of every run. File names in a TOML file are relative to its folder."""

    seed: int
    weight_decay: float
    average_decay: float  # of the running mean of weights, which is exported
    checkpoint_every: int  # steps


@dataclass(frozen=True)
class TrainingConfig(RunConfig):
    """A run on synthetic heads."""

    trunk: str  # resnet50 or resnet18
    reuse: float  # how often a synthetic head is used, on average
    buffer_mib: int  # memory for synthetic heads
    workers: int  # processes that render
    dense_landmarks: int  # 70 or more, or 0 for a network without
    loss: LossWeights
    stages: tuple[Stage, ...]
    portraits: str | None = None  # folder of photos/ and landmarks.npz
    start: str | None = None  # checkpoint file to start from, instead of random weights


RANGES: Ranges = {
    "seed": (0, 2**31),
    "reuse": (1, 1000),
    "buffer_mib": (1, 2**20),
    "workers": (1, 256),
    "weight_decay": (0, 1),
    "average_decay": (0, 1),
    "checkpoint_every": (1, 10**9),
    "dense_landmarks": (0, 2000),
    "crop_size": (2 * CROP_STEP, CROP_SIZE),
    "batch_size": (2, 2**16),
    "steps": (1, 10**9),
    "learning_rate": (0, 1),
    "final_rate": (0, 1),
    "portrait_share": (0, 0.5),
    **{field.name: (0, 10**6) for field in fields(LossWeights)},
}
_KINDS = {"int": ((int,), "a whole number"), "float": ((int, float), "a number")}


def read_config(path: str | Path) -> TrainingConfig:
    """Read a configuration file.

    Raises: ConfigError naming the file and the field.
    """
    table = ConfigTable.read(Path(path), "checkpoints/resnet50.toml")
    values = table.values
    values["loss"] = table.section("loss", LossWeights, RANGES)
    stages = values.get("stages", [])
    if not isinstance(stages, list) or not stages:
        raise ConfigError(f"{path}: no [[stages]], at least one is needed")
    values["stages"] = tuple(table.parse("[[stages]]", Stage, stage, RANGES) for stage in stages)
    for name in ("portraits", "start"):
        if values.get(name) is not None:
            values[name] = table.file_name(name, values[name])
    config = table.parse("the file", TrainingConfig, values, RANGES)
    _check_together(table.path, config)
    return config


@dataclass(frozen=True)
class ConfigTable:
    """The parsed TOML file of a configuration; every method raises ConfigError naming the file."""

    path: Path
    example: str  # a complete file
    values: dict[str, Any]

    @classmethod
    def read(cls, path: Path, example: str) -> ConfigTable:
        """Read the file."""
        try:
            with path.open("rb") as file:
                return cls(path, example, tomllib.load(file))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a TOML file") from error
        except ValueError as error:  # of TOML or of UTF-8
            raise ConfigError(f"{path}: not valid TOML: {error}") from error

    def section(self, name: str, kind: type[T], ranges: Ranges) -> T:
        """A dataclass of the table [name]."""
        return self.parse(f"[{name}]", kind, self.values.get(name, {}), ranges)

    def file_name(self, name: str, value: Any) -> str:
        """A file or folder that a value names, relative to the folder of the TOML file."""
        if not isinstance(value, str):
            raise ConfigError(f"{self.path}: {name!r} is {value!r}, it must name a file or folder")
        return str(self.path.parent / value)

    def parse(self, section: str, kind: type[T], values: Any, ranges: Ranges) -> T:
        """A dataclass of the values of one table, checked for unknown and missing names, types and ranges."""
        if not isinstance(values, dict):
            raise ConfigError(f"{self.path}: {section} is {values!r}, it must be a table of names and values")
        parts = fields(kind)  # pyright: ignore[reportArgumentType]
        known = [field.name for field in parts]
        needed = [field.name for field in parts if field.default is MISSING]
        if unknown := sorted(set(values) - set(known)):
            raise ConfigError(
                f"{self.path}: unknown name {unknown[0]!r} in {section}; known are {', '.join(sorted(known))}"
            )
        if missing := [name for name in needed if name not in values]:
            raise ConfigError(f"{self.path}: {missing[0]!r} is missing in {section}; {self.example} has an example")
        for field in parts:
            value = values.get(field.name, field.default)
            if wanted := _wanted(field.name, str(field.type), value, ranges):
                raise ConfigError(f"{self.path}: {field.name!r} in {section} is {value!r}, it must be {wanted}")
        return kind(**values)


def _wanted(name: str, kind: str, value: Any, ranges: Ranges) -> str | None:
    """The requirement that a value violates, None if it is valid; file names and tables are checked elsewhere."""
    if kind == "bool":
        return None if isinstance(value, bool) else "true or false"
    if kind not in _KINDS:
        return None
    (types, words), (least, greatest) = _KINDS[kind], ranges[name]
    if isinstance(value, types) and not isinstance(value, bool) and least <= value <= greatest:
        return None
    return f"{words} from {least} to {greatest}"


def _check_together(path: Path, config: TrainingConfig) -> None:
    """Checks of several values together."""
    if config.trunk not in tuple(TRUNKS):
        raise ConfigError(f"{path}: 'trunk' is {config.trunk!r}, choose one of {', '.join(TRUNKS)}")
    if 0 < config.dense_landmarks < 70:
        raise ConfigError(f"{path}: 'dense_landmarks' is {config.dense_landmarks}, it must be 0, or 70 or more")
    for stage in config.stages:
        if stage.crop_size % CROP_STEP:
            raise ConfigError(f"{path}: 'crop_size' is {stage.crop_size}, it must be a multiple of {CROP_STEP}")
        if stage.portrait_share > 0 and config.portraits is None:
            raise ConfigError(f"{path}: 'portrait_share' is above 0, but there is no 'portraits'; name a folder")
    last = config.stages[-1].crop_size
    if CROP_SIZE % last:
        raise ConfigError(
            f"{path}: the last stage's 'crop_size' is {last}, it must be a whole fraction of {CROP_SIZE}: "
            f"{', '.join(str(CROP_SIZE // part) for part in (7, 2, 1))}"
        )
