"""The configuration of a training run, read from a TOML file; checkpoints/resnet50.toml is the shipped default's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from deep3d.errors import ConfigError


@dataclass(frozen=True)
class Stage:
    """A part of the run with one crop size."""

    crop_size: int  # pixels, a multiple of 16
    batch_size: int
    steps: int
    learning_rate: float  # peak, after the warm-up; falls to `final_rate` of it along a cosine
    final_rate: float
    portrait_share: float  # of each batch, real portraits with landmarks; needs `portraits`


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


@dataclass(frozen=True)
class TrainingConfig:
    """One run."""

    trunk: str  # resnet50 or resnet18
    seed: int
    reuse: float  # how often a synthetic head is seen before a new one takes its place
    buffer_mib: int  # memory for synthetic heads
    workers: int  # processes that render
    weight_decay: float
    average_decay: float  # of the running mean of weights, which is what gets exported
    checkpoint_every: int  # steps
    loss: LossWeights
    stages: tuple[Stage, ...]
    portraits: str | None = (
        None  # folder of photos/ and landmarks.npz for fine-tuning; only even-numbered ones are used
    )


def read_config(path: str | Path) -> TrainingConfig:
    """Read a configuration file.

    Raises: ConfigError naming the file and the field.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    values["loss"] = _parse(path, "loss", LossWeights, values.get("loss", {}))
    values["stages"] = tuple(_parse(path, "stages", Stage, stage) for stage in values.get("stages", []))
    config = _parse(path, "the file", TrainingConfig, values)
    if not config.stages:
        raise ConfigError(f"{path}: no [[stages]], at least one is needed")
    if any(stage.portrait_share > 0 for stage in config.stages) and config.portraits is None:
        raise ConfigError(f"{path}: a stage has portrait_share > 0 but `portraits` names no folder")
    return config


def _parse(path: Path, section: str, kind: type, values: dict[str, Any]) -> Any:
    known = {field.name for field in fields(kind)}
    if unknown := set(values) - known:
        raise ConfigError(
            f"{path}: unknown name {sorted(unknown)[0]!r} in {section}; known are {', '.join(sorted(known))}"
        )
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{path}: {section}: {error}") from error
