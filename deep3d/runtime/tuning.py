"""Measure runtimes, precisions, threads, processes and batches on this machine, and choose the best."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from statistics import median

import numpy as np

from deep3d.errors import RuntimeUnavailable
from deep3d.network.checkpoints import Checkpoint, read_checkpoint
from deep3d.runtime.cores import usable_cores
from deep3d.runtime.loading import available_precisions, available_runtimes, load_runtime
from deep3d.runtime.plan import Plan, Plans

BATCHES = (1, 4, 16)
_SECONDS = 0.8  # of measurement for each batch size, after one warm-up batch
_PATIENCE = 120.0  # seconds that a trial may take until it counts as failed


@dataclass(frozen=True)
class Trial:
    """Processes that run the network at the same time."""

    runtime: str
    precision: str
    threads: int  # of each process
    processes: int


def trials(cores: int) -> Iterator[Trial]:
    """The trials for so many cores, the most promising first: all threads in one process, then more processes."""
    splits = [(threads, cores // threads) for threads in _halvings(cores)]
    for (threads, processes), runtime in product(splits, available_runtimes()):
        for precision in available_precisions(runtime):
            yield Trial(runtime, precision, threads, processes)


def tune(checkpoint: Checkpoint, seconds: float, advance: Callable[[Trial, int, int], None]) -> list[Plan]:
    """Measure the `trials` until the time is over; `advance` gets each trial, its number and their count.

    Trials that cannot run here (such as int8 without calibration) are left out, and so is one that the end interrupts.
    """
    end = time.monotonic() + seconds
    planned = list(trials(usable_cores()))
    measured: list[Plan] = []
    for number, trial in enumerate(planned):
        if time.monotonic() > end:
            break
        advance(trial, number, len(planned))
        measured += _measure(checkpoint, trial, end)
    return measured


def best(measured: list[Plan]) -> Plans:
    """The fastest for one photo at a time, and for many.

    Raises: RuntimeUnavailable if no single process was measured.
    """
    alone = [plan for plan in measured if plan.batch_size == 1 and plan.processes == 1]
    if not alone:
        raise RuntimeUnavailable("tune: nothing could be measured in that time; give it more time with --seconds")
    return Plans(
        latency=min(alone, key=lambda plan: plan.milliseconds),
        throughput=max(measured, key=lambda plan: plan.images_per_second),
    )


def _measure(checkpoint: Checkpoint, trial: Trial, end: float) -> list[Plan]:
    """The trial with each batch size, in its own processes, so that other threads do not interfere.

    It stops at the time `end` without a result.
    """
    context = get_context("spawn")
    start, answers = context.Barrier(trial.processes), context.Queue()
    workers = [
        context.Process(target=_work, args=(checkpoint.path, trial, start, answers), daemon=True)
        for _ in range(trial.processes)
    ]
    for worker in workers:
        worker.start()
    try:
        results: list[dict[int, float]] = [
            answers.get(timeout=min(_PATIENCE, max(0.0, end - time.monotonic()))) for _ in workers
        ]
    except Empty:
        results = [{}]
    for worker in workers:
        worker.terminate()
        worker.join()
    if not all(results):
        return []
    return [
        Plan(
            trial.runtime,
            trial.precision,
            trial.threads,
            trial.processes,
            batch_size,
            images_per_second=round(sum(batch_size / result[batch_size] for result in results), 2),
            milliseconds=round(1000 * max(result[batch_size] for result in results), 2),
        )
        for batch_size in BATCHES
    ]


def _work(path: Path, trial: Trial, start, answers) -> None:
    """The body of each process: answer with the median seconds of each batch size, nothing if it cannot run."""
    try:
        checkpoint = read_checkpoint(path)
        runtime = load_runtime(checkpoint, trial.runtime, trial.threads, trial.precision)
        side = checkpoint.info.crop_size
        crops = np.random.default_rng(0).random((max(BATCHES), 3, side, side), np.float32)
        answer: dict[int, float] = {}
        for batch_size in BATCHES:
            runtime(crops[:batch_size])
            start.wait(_PATIENCE)
            answer[batch_size] = _seconds(lambda size=batch_size: runtime(crops[:size]))
    except Exception:  # whatever a framework raises on an unsuitable machine
        start.abort()
        answer = {}
    answers.put(answer)


def _seconds(action: Callable[[], object]) -> float:
    laps: list[float] = []
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end or len(laps) < 3:
        begin = time.perf_counter()
        action()
        laps.append(time.perf_counter() - begin)
    return median(laps)


def _halvings(cores: int) -> Iterator[int]:
    """All cores, half of them, and so on down to one."""
    while cores >= 1:
        yield cores
        cores //= 2
