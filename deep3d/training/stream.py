"""Synthetic heads rendered by other processes into shared memory, from which training draws at random."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.errors import TrainingError
from deep3d.face_model import read_face_model
from deep3d.training.config import Stage, TrainingConfig
from deep3d.training.heads import HeadGenerator, Heads

CHUNK = 16  # heads drawn at a time
FIRST_FILL = 1024  # heads to wait for before the first batch, where the stage needs as many


class HeadStream:
    """A ring of heads for one stage, of which batches are drawn evenly.

    Rendering and use keep pace: there is one new head for every `reuse` heads drawn, besides those of the first fill,
    and whichever side is ahead waits. So a head is seen `reuse` times on average; the first ones, drawn while there
    are few others, more often than the last.

    Use as a context manager: the rendering processes end with it.
    """

    def __init__(
        self, model_path: Path, dense_vertices: Sequence[int], config: TrainingConfig, stage: Stage, seed: int
    ) -> None:
        size = stage.crop_size
        draws = stage.steps * stage.batch_size
        self._first_fill = _whole_chunks(min(draws, max(FIRST_FILL, stage.batch_size)))
        self._unsafe = (config.workers + 1) * CHUNK  # the oldest heads, over which new ones may be written meanwhile
        head_bytes = size * size * 3 + COEFFICIENT_COUNT * 4 + len(dense_vertices) * 8
        room = min(draws / config.reuse, config.buffer_mib * 2**20 / head_bytes - self._first_fill - self._unsafe)
        self._capacity = self._first_fill + self._unsafe + _whole_chunks(max(room, 0))
        self._reuse, self._rng = config.reuse, np.random.default_rng(seed)
        context = multiprocessing.get_context("spawn")
        memory = context.RawArray("B", self._capacity * head_bytes)  # a temporary file where shared memory is too small
        self._heads = _views(memory, self._capacity, size, len(dense_vertices))
        self._made, self._used = context.RawValue("q", 0), context.RawValue("q", 0)
        self._lock = context.Lock()  # of the writers; kept here, for it ends with its last owner in this process
        dense = tuple(dense_vertices)
        shared = (
            dense,
            memory,
            self._capacity,
            size,
            config.reuse,
            self._first_fill,
            self._made,
            self._used,
            self._lock,
        )
        self._workers: list[BaseProcess] = [
            context.Process(target=_render, args=(model_path, seed + k, *shared), name=f"renderer {k}", daemon=True)
            for k in range(1, config.workers + 1)
        ]

    def __enter__(self) -> HeadStream:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.terminate()
            worker.join()

    @property
    def made(self) -> int:
        """Heads rendered so far."""
        return self._made.value

    def batch(self, count: int) -> Heads:
        """Heads with crops (count, S, S, 3); waits while there are too few.

        Raises: TrainingError if a rendering process has ended.
        """
        self._require_workers()
        while self.made < max(self._first_fill, (self._used.value + count) / self._reuse):
            time.sleep(0.02)
            self._require_workers()
        made = self.made
        age = self._rng.integers(1, min(made, self._capacity - self._unsafe), count, endpoint=True)
        rows = (made - age) % self._capacity
        self._used.value += count
        heads = self._heads
        return Heads(heads.crops[rows], heads.vectors[rows], heads.points[rows])

    def _require_workers(self) -> None:
        for worker in self._workers:
            if not worker.is_alive():
                raise TrainingError(
                    f"{worker.name}, which renders heads, has ended with exit code {worker.exitcode}; see its message "
                    "above, if any, for memory that ran out or a damaged file, then start again to go on"
                )


def _render(
    model_path: Path,
    seed: int,
    dense_vertices: Sequence[int],
    memory: Any,
    capacity: int,
    crop_size: int,
    reuse: float,
    first_fill: int,
    made: Any,
    used: Any,
    lock: Any,
) -> None:
    """The loop of one rendering process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for training, which then ends this process
    if hasattr(os, "nice"):
        os.nice(5)  # training goes first: it is what the heads are for
    ring = _views(memory, capacity, crop_size, len(dense_vertices))
    generator = HeadGenerator(read_face_model(model_path), seed, dense_vertices)
    training = multiprocessing.parent_process()
    while training is None or training.is_alive():
        if made.value >= first_fill + used.value / reuse:
            time.sleep(0.05)
            continue
        heads = generator.draw(CHUNK)
        small = _resized(heads.crops, crop_size)
        with lock:
            start = made.value % capacity
            ring.crops[start : start + CHUNK] = small
            ring.vectors[start : start + CHUNK] = heads.vectors
            ring.points[start : start + CHUNK] = heads.points
            made.value += CHUNK


def _whole_chunks(heads: float) -> int:
    return math.ceil(heads / CHUNK) * CHUNK


def _resized(crops: np.ndarray, size: int) -> np.ndarray:
    if crops.shape[1] == size:
        return crops
    return np.stack([np.asarray(Image.fromarray(c).resize((size, size), Image.Resampling.BOX)) for c in crops])


def _views(memory: Any, capacity: int, size: int, dense: int) -> Heads:
    """The shared bytes as heads that can be written to: `capacity` of them, with so many dense landmarks."""
    crops = np.ndarray((capacity, size, size, 3), np.uint8, memory)
    vectors = np.ndarray((capacity, COEFFICIENT_COUNT), np.float32, memory, crops.nbytes)
    return Heads(crops, vectors, np.ndarray((capacity, dense, 2), np.float32, memory, crops.nbytes + vectors.nbytes))
