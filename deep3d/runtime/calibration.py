"""The ranges of activations that the eight-bit network needs, measured on crops, and the file that keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from deep3d.checkpoints import Checkpoint
from deep3d.errors import RuntimeUnavailable
from deep3d.runtime.regressor_graph import LEVELS, activation_names, observed_graph

SCHEMA = "deep3d.calibration/1"
_BATCH = 16
_SAMPLES = 20_000  # values of an activation that are looked at in a batch
_CLIPPING = np.linspace(0.2, 1, 41)  # of the largest value, tried for the least squared error


def calibrate(checkpoint: Checkpoint, crops: np.ndarray, threads: int | None = None) -> dict[str, float]:
    """The peak of each activation that is worth keeping, from (N, 3, S, S) crops as `Runtime` takes them.

    Values beyond the peak are cut off, which costs less than a coarser step for all the others.
    """
    from deep3d.runtime.onnx import OnnxNetwork  # ONNX Runtime is not needed to read ranges

    network = OnnxNetwork(observed_graph(checkpoint), threads)
    rng = np.random.default_rng(0)
    seen: dict[str, list[np.ndarray]] = {name: [] for name in activation_names(checkpoint)}
    for start in range(0, len(crops), _BATCH):
        for samples, values in zip(seen.values(), network(crops[start : start + _BATCH]), strict=True):
            samples.append(np.append(rng.choice(values.ravel(), _SAMPLES), values.max()))
    return {name: _best_peak(np.concatenate(samples)) for name, samples in seen.items()}


def calibration_path(checkpoint: Checkpoint) -> Path:
    """Where the peaks of a checkpoint are kept: beside it."""
    return checkpoint.path.with_suffix(".int8.json")


def write_calibration(checkpoint: Checkpoint, peaks: dict[str, float]) -> Path:
    """Write the peaks beside the checkpoint."""
    path = calibration_path(checkpoint)
    rounded = {name: float(f"{peak:.4g}") for name, peak in peaks.items()}
    content = {"schema": SCHEMA, "checkpoint_sha256": checkpoint.sha256, "peaks": rounded}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def read_calibration(checkpoint: Checkpoint) -> dict[str, float]:
    """The peaks of a checkpoint.

    Raises: RuntimeUnavailable if there are none, or those of another checkpoint.
    """
    path = calibration_path(checkpoint)
    again = f"deep3d export --precision int8 --checkpoint {checkpoint.path} writes it"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RuntimeUnavailable(f"{path}: int8 needs this file, which is not there; {again}") from error
    except ValueError as error:
        raise RuntimeUnavailable(f"{path}: not JSON ({error}); {again} anew") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise RuntimeUnavailable(f"{path}: no calibration of this version; {again} anew")
    if content.get("checkpoint_sha256") != checkpoint.sha256:
        raise RuntimeUnavailable(f"{path}: belongs to another checkpoint; {again} anew")
    peaks = content.get("peaks")
    names = set(activation_names(checkpoint))
    if not isinstance(peaks, dict) or set(peaks) != names or not all(_positive(peak) for peak in peaks.values()):
        raise RuntimeUnavailable(f"{path}: 'peaks' is not a positive number for each activation; {again} anew")
    return peaks


def is_calibrated(checkpoint: Checkpoint) -> bool:
    """Whether the peaks of a checkpoint can be read."""
    try:
        read_calibration(checkpoint)
    except RuntimeUnavailable:
        return False
    return True


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and np.isfinite(value) and value > 0


def _best_peak(values: np.ndarray) -> float:
    """The clipping of non-negative values that eight bits keep with the least squared error."""
    peaks = max(float(values.max()), 1e-6) * _CLIPPING
    steps = peaks[:, None] / LEVELS
    rounded = np.minimum(np.rint(values / steps), LEVELS) * steps
    return float(peaks[np.argmin(np.square(rounded - values).sum(axis=1))])
