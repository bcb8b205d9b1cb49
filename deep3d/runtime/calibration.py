"""The activation ranges of an eight-bit network, measured on inputs, and their file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deep3d.errors import RuntimeUnavailable
from deep3d.files.whole_file import written_whole
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.graph import Graph
from deep3d.runtime.ranges import Range, best_range
from deep3d.runtime.regressor_graph import observed

SCHEMA = "deep3d.calibration/2"
_BATCH = 16
_SAMPLES = 2_000  # values of an activation that are sampled for each input


@dataclass(frozen=True)
class Calibration:
    """The file of a network's activation ranges: JSON, beside its weights."""

    weights: Path
    weights_sha256: str
    activations: tuple[str, ...]
    checkpoint: Path  # of the network

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Calibration:
        """The calibration of a checkpoint's regressor."""
        return cls(checkpoint.path, checkpoint.sha256, tuple(observed(checkpoint).activations), checkpoint.path)

    @property
    def path(self) -> Path:
        """`NAME.int8.json` beside the weights."""
        return self.weights.with_suffix(".int8.json")

    def write(self, ranges: dict[str, Range]) -> None:
        """Write the file, which appears whole or not at all."""
        rounded = {name: [float(f"{end:.4g}") for end in kept] for name, kept in ranges.items()}
        content = {"schema": SCHEMA, "weights_sha256": self.weights_sha256, "ranges": rounded}
        with written_whole(self.path) as partial:
            partial.write_text(json.dumps(content) + "\n", encoding="utf-8")

    def read(self) -> dict[str, Range]:
        """The range of each activation.

        Raises: RuntimeUnavailable if there are none, or they belong to other weights.
        """
        again = (
            f"deep3d export --runtime onnx --precision int8 --checkpoint {self.checkpoint} --out network.onnx writes it"
        )
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RuntimeUnavailable(f"{self.path}: int8 needs this file, which does not exist; {again}") from error
        except ValueError as error:
            raise RuntimeUnavailable(f"{self.path}: not JSON ({error}); {again}") from error
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise RuntimeUnavailable(f"{self.path}: not a calibration file of this version; {again}")
        if content.get("weights_sha256") != self.weights_sha256:
            raise RuntimeUnavailable(f"{self.path}: belongs to other weights; {again}")
        ranges = content.get("ranges")
        if (
            not isinstance(ranges, dict)
            or set(ranges) != set(self.activations)
            or not all(map(_is_range, ranges.values()))
        ):
            raise RuntimeUnavailable(f"{self.path}: 'ranges' is not a range for each activation; {again}")
        return {name: Range(*ends) for name, ends in ranges.items()}

    @property
    def is_readable(self) -> bool:
        """Whether the ranges can be read."""
        try:
            self.read()
        except RuntimeUnavailable:
            return False
        return True


def regressor_ranges(checkpoint: Checkpoint, crops: np.ndarray) -> dict[str, Range]:
    """The ranges of a checkpoint's regressor on (N, 3, S, S) crops in the format of `Runtime`."""
    batches = ((crops[start : start + _BATCH],) for start in range(0, len(crops), _BATCH))
    return measure_ranges(observed(checkpoint), batches)


def measure_ranges(graph: Graph, batches: Iterable[tuple[np.ndarray, ...]]) -> dict[str, Range]:
    """The range of each observed activation of a float32 network, on batches of its inputs."""
    from deep3d.runtime.onnx import OnnxNetwork  # ONNX Runtime is not needed to read ranges

    network, rng = OnnxNetwork(graph.serialize_observed()), np.random.default_rng(0)
    seen: dict[str, list[np.ndarray]] = {name: [] for name in graph.activations}
    for batch in batches:
        for samples, values in zip(seen.values(), network(*batch), strict=True):
            samples.append(rng.choice(values.reshape(len(values), -1), _SAMPLES, axis=1))
    return {name: best_range(np.concatenate(samples)) for name, samples in seen.items()}


def _is_range(ends: object) -> bool:
    if not isinstance(ends, list) or len(ends) != 2 or not all(isinstance(end, int | float) for end in ends):
        return False
    low, high = ends
    return Range(low, high).is_sound
