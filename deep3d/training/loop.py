"""The training loop for any loss; it can be stopped and resumed at any step."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from deep3d.errors import TrainingStopped
from deep3d.training.config import Schedule
from deep3d.training.run import Run
from deep3d.training.stopping import stop_request

WARM_UP_STEPS = 200  # at most, and a fifth of a stage
LARGEST_GRADIENT = 20.0
LOG_EVERY = 20

Losses = Callable[[nn.Module], dict[str, Tensor]]
"""Draws a batch and gives the terms of the module's loss on it; `total` is minimised."""

S = TypeVar("S", bound=Schedule)


class Progress(Protocol):
    """Called after every step."""

    def __call__(self, step: int, total: int, loss: float) -> None:
        """Finished steps, steps of all stages, and the loss of this step."""
        ...


class Watch(Protocol):
    """Called every 20 steps."""

    def __call__(self, step: int, terms: dict[str, float]) -> None:
        """Finished steps, and the loss terms of the last one."""
        ...


def run_stages(
    run: Run,
    stages: Sequence[S],
    open_stage: Callable[[S], AbstractContextManager[Losses]],
    terms: Sequence[str],
    progress: Progress,
    watch: Watch | None = None,
) -> None:
    """Run all stages, or the rest of them.

    The run's folder gets log.csv with the `terms` every 20 steps, and state.pt, from which a later call continues
    however this one ended. Of several processes only the leader writes and reports, about its own batches.

    Raises: TrainingStopped after Ctrl-C or SIGTERM.
    """
    log = _Log(run.folder / "log.csv", ("step", "seconds", "crop_size", *terms))
    if run.team.leads:
        run.folder.mkdir(parents=True, exist_ok=True)
        log.cut(run.step)
    module = run.team.share(run.network)
    first, total = 0, sum(stage.steps for stage in stages)
    try:
        with stop_request() as stop, torch.backends.cudnn.flags(enabled=True, benchmark=True):
            for stage in stages:
                if run.step < first + stage.steps:
                    with open_stage(stage) as losses:
                        while run.step < first + stage.steps:
                            values = _step(run, module, _learning_rate(stage, run.step - first), losses)
                            if run.team.leads:
                                progress(run.step, total, values["total"])
                                _record(run, stage, values, log, watch)
                            if run.team.any(stop.received):
                                raise TrainingStopped(
                                    f"{run.folder}: stopped after step {run.step} of {total}; the same command resumes"
                                )
                            if run.step % run.config.checkpoint_every == 0:
                                run.save()
                first += stage.steps
    finally:
        run.save()


def _record(run: Run, stage: Schedule, values: dict[str, float], log: _Log, watch: Watch | None) -> None:
    """Every 20 steps, a row of the log, and a call of the watch."""
    if run.step % LOG_EVERY == 0:
        log.write(run, stage, values)
        if watch is not None:
            watch(run.step, values)


def _step(run: Run, module: nn.Module, learning_rate: float, losses: Losses) -> dict[str, float]:
    """One update; the terms of the loss as numbers."""
    start = time.monotonic()
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate
    terms = losses(module)
    run.optimizer.zero_grad(set_to_none=True)
    terms["total"].backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), LARGEST_GRADIENT)
    run.optimizer.step()
    run.average.update_parameters(run.network)
    run.step += 1
    run.seconds += time.monotonic() - start
    return {name: float(term.detach()) for name, term in terms.items()}


def _learning_rate(stage: Schedule, step: int) -> float:
    """Linear warm-up, then a cosine from the peak to `final_rate` of it."""
    rise = min(1.0, (step + 1) / min(WARM_UP_STEPS, math.ceil(stage.steps / 5)))
    fall = 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return stage.learning_rate * rise * (stage.final_rate + (1 - stage.final_rate) * fall)


class _Log:
    """log.csv: the step, the seconds of all steps so far, the crop size, and the terms of the loss."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._columns = path, columns

    def cut(self, step: int) -> None:
        """Drop the rows after this step, which will be repeated."""
        if not self._path.exists():
            return
        with self._path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["step"] and int(row["step"]) <= step]
        with self._path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=self._columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def write(self, run: Run, stage: Schedule, terms: dict[str, float]) -> None:
        """Add a row."""
        row: dict[str, object] = {name: f"{value:.5g}" for name, value in terms.items()}
        row |= {"step": run.step, "seconds": round(run.seconds, 1), "crop_size": stage.crop_size}
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=self._columns, restval="nan")
            if new:
                writer.writeheader()
            writer.writerow(row)
