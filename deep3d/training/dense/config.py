"""The configuration of a dense network's training, read from a TOML file, such as checkpoints/dense.toml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from deep3d.dense import FULL, SLIM, Dpt
from deep3d.dense.architecture import DPT_SIZE, DPT_WIDTH, Architecture
from deep3d.errors import ConfigError
from deep3d.training.config import RANGES, ConfigTable, Ranges, RunConfig, Schedule


@dataclass(frozen=True)
class DenseLossWeights:
    """Weights of the terms of `losses.dense_loss`."""

    depth: float  # per millimetre, at the best scale and offset
    offset: float  # per millimetre of absolute height
    gradient: float  # per millimetre from pixel to pixel
    normals: float  # per 1 - cosine
    places: float  # per millimetre on the mean shape
    certainty: float  # per nat
    classes: float  # per nat


@dataclass(frozen=True)
class DenseConfig(RunConfig):
    """A run of `deep3d train dense`."""

    heads: int  # drawn before training begins
    workers: int  # processes that draw them
    loss: DenseLossWeights
    schedule: Schedule
    start: str | None = None  # checkpoint of the regressed faces, by default the shipped one
    architecture: str = "slim"  # or "full", the larger U-Net, or "dpt"
    backbone: str | None = None  # of a DPT: timm's name of a vision transformer
    weights: str | None = None  # of the backbone: a safetensors file of timm
    dressed: int = 0  # heads with hair and clothes, for the classes; drawn while training goes on
    dressed_share: float = 0.0  # of each batch
    portraits: str | None = None  # folder of photos/ whose borders are behind some dressed heads
    masks: str | None = None  # folder of NAME.png, white where portraits/photos/NAME.jpg shows hair
    outlined_share: float = 0.0  # of the dressed heads of each batch: portraits with such masks instead
    go_on: bool = False  # with the dense network that lies beside it

    @property
    def network(self) -> Architecture:
        """The dimensions of the network."""
        return UNETS.get(self.architecture) or Dpt(DPT_SIZE, str(self.backbone), DPT_WIDTH)


UNETS = {"slim": SLIM, "full": FULL}

DENSE_RANGES: Ranges = RANGES | {
    "heads": (64, 10**8),
    "dressed": (0, 10**8),
    "dressed_share": (0, 1),
    "outlined_share": (0, 1),
    **{field.name: (0.0, 10.0**6) for field in fields(DenseLossWeights)},
}


def read_dense_config(path: str | Path) -> DenseConfig:
    """Read a configuration file.

    Raises: ConfigError naming the file and the field.
    """
    table = ConfigTable.read(Path(path), "checkpoints/dense.toml")
    values = table.values
    values["loss"] = table.section("loss", DenseLossWeights, DENSE_RANGES)
    values["schedule"] = table.section("schedule", Schedule, DENSE_RANGES)
    for name in ("start", "weights", "portraits", "masks"):
        if values.get(name) is not None:
            values[name] = table.file_name(name, values[name])
    config = table.parse("the file", DenseConfig, values, DENSE_RANGES)
    _check_network(path, config)
    return config


def _check_network(path: str | Path, config: DenseConfig) -> None:
    if config.architecture not in (*UNETS, "dpt"):
        known = ", ".join((*UNETS, "dpt"))
        raise ConfigError(f"{path}: 'architecture' is {config.architecture!r}, choose one of {known}")
    for name in ("backbone", "weights"):
        given = getattr(config, name) is not None
        if given != (config.architecture == "dpt"):
            wanted = "is for the architecture dpt alone" if given else "is missing, which a dpt needs"
            raise ConfigError(f"{path}: {name!r} {wanted}; docs/training.md has an example")
    if config.schedule.crop_size != config.network.map_size:
        raise ConfigError(
            f"{path}: 'crop_size' is {config.schedule.crop_size}, it must be {config.network.map_size} "
            f"for the architecture {config.architecture}"
        )
