"""`deep3d train synthetic`: run a configuration, write its checkpoint, and record the measured accuracy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from deep3d.errors import DatasetError
from deep3d.network.checkpoints import CheckpointInfo, read_checkpoint, write_checkpoint
from deep3d.network.torch_regressor import network_arrays
from deep3d.training.call import TrainingCall, today
from deep3d.training.config import read_config
from deep3d.training.portraits import training_data
from deep3d.training.regressor.learning import train


def train_and_export(call: TrainingCall, name: str) -> Path | None:
    """Train, or continue a run, and write `name`.safetensors in the folder, in eight bits; gives its path.

    Of several processes only the leader writes, the others get None.

    Beside it lies `name`.float32.safetensors, to compare with and to train on from. Neither records an accuracy until
    `record_accuracy` writes down what was measured.

    Raises: ConfigError, FaceModelError, DatasetError, TrainingError.
    """
    config = read_config(call.config)
    model = call.read_model().info
    with call.team() as team:
        network = train(config, call.model_path, call.folder, call.progress, team)
        if not team.leads:
            return None
    info = CheckpointInfo(
        name=name,
        version="1",
        trunk=config.trunk,
        face_model=f"{model.name} {model.version}",
        face_model_sha256=model.sha256,
        training_data=training_data(bool(config.portraits)),
        accuracy={},
        licence="MIT",
        created=today(),
        crop_size=config.stages[-1].crop_size,
    )
    return export(call.folder, info, network_arrays(network))


def record_accuracy(folder: Path, name: str, report: Path) -> Path:
    """Write both checkpoints of a finished run again, with the errors from `deep3d evaluate --out report`.

    Gives the path of the one in eight bits, whose weights do not change.

    Raises: CheckpointError; DatasetError if the report is invalid.
    """
    checkpoint = read_checkpoint(_full_precision(folder, name))
    return export(folder, replace(checkpoint.info, accuracy=_measured(report)), checkpoint.arrays)


def export(folder: Path, info: CheckpointInfo, arrays: dict[str, np.ndarray]) -> Path:
    """Write the checkpoint in eight bits, and beside it in full precision; gives the path of the former.

    Raises: CheckpointInvalid if weights are not finite.
    """
    path = folder / f"{info.name}.safetensors"
    write_checkpoint(_full_precision(folder, info.name), info, arrays, storage="float32")
    write_checkpoint(path, info, arrays, storage="int8")
    return path


def _full_precision(folder: Path, name: str) -> Path:
    return folder / f"{name}.float32.safetensors"


def _measured(report: Path) -> dict[str, float]:
    """Accuracy by name and unit, from the last row of each table of a report, which is the fitted checkpoint."""
    measures = {
        "portraits NME51 %": ("portraits", "nme51", "mean"),
        "portraits NME68 %": ("portraits", "nme68", "mean"),
        "heads scan-to-mesh mm, median of medians": ("heads", "median", "median"),
    }
    try:
        benchmarks = json.loads(report.read_text(encoding="utf-8"))["benchmarks"]
        rows = {benchmark["name"]: benchmark["rows"][-1]["measures"] for benchmark in benchmarks}
        return {name: float(rows[data][key][value]) for name, (data, key, value) in measures.items() if data in rows}
    except OSError as error:
        raise DatasetError(f"{report}: cannot be read ({error.strerror}); write it with deep3d evaluate") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise DatasetError(f"{report}: not a report of deep3d evaluate ({error!r}); write it again") from error
