"""The network alone: every available runtime and precision, one crop and sixteen at a time."""

from __future__ import annotations

from functools import partial

import numpy as np

from deep3d.bench.figures import Section, compared
from deep3d.bench.timing import race
from deep3d.errors import RuntimeUnavailable
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime import Runtime, load_runtime
from deep3d.runtime.loading import PRECISIONS

BATCHES = (1, 16)
_BASE = "eager fp32, batch 1"


def network_section(checkpoint: Checkpoint, rounds: int) -> Section:
    """Milliseconds per crop, and the runtimes that are not available."""
    runtimes, skipped = _runtimes(checkpoint)
    side = checkpoint.info.crop_size
    crops = np.random.default_rng(0).random((max(BATCHES), 3, side, side), np.float32)
    contestants = {
        f"{name}, batch {batch}": partial(runtime, crops[:batch])
        for name, runtime in runtimes.items()
        for batch in BATCHES
    }
    shares = {f"{name}, batch {batch}": batch for name in runtimes for batch in BATCHES}
    figures = compared(race(contestants, rounds), _BASE if _BASE in contestants else None, shares)
    title = f"Network alone, {side} x {side} pixels, each crop"
    return Section(title, tuple(figures), _BASE if _BASE in contestants else None, skipped)


def _runtimes(checkpoint: Checkpoint) -> tuple[dict[str, Runtime], tuple[str, ...]]:
    """The runtimes by name and precision, and why others are not available."""
    found: dict[str, Runtime] = {}
    skipped: list[str] = []
    for name, precisions in PRECISIONS.items():
        for precision in precisions:
            try:
                found[f"{name} {precision}"] = load_runtime(checkpoint, name, precision=precision)
            except RuntimeUnavailable as error:
                skipped.append(f"{name} {precision} ({error})")
    return found, tuple(skipped)
