"""Synthetic heads rendered by other processes into shared memory, from which training samples."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.errors import TrainingError
from deep3d.face_model import read_face_model
from deep3d.synthetic.heads import HeadGenerator, Heads
from deep3d.training.config import Stage, TrainingConfig
from deep3d.training.ring import Ring, head_bytes

CHUNK = 16  # heads drawn at a time


class HeadSource(Protocol):
    """The source of training heads. Use it as a context manager."""

    def __enter__(self) -> HeadSource: ...

    def __exit__(self, *_: object) -> None: ...

    def batch(self, count: int) -> Heads:
        """Heads with crops (count, S, S, 3) of the stage's size; waits while there are too few."""
        ...


class HeadStream:
    """A ring of heads for one stage, from which batches are sampled evenly.

    Rendering and training keep the pace of `Ring`; the faster one waits. Use as a context manager: the
    rendering processes end with it.
    """

    def __init__(
        self, model_path: Path, dense_vertices: Sequence[int], config: TrainingConfig, stage: Stage, seed: int
    ) -> None:
        size, dense = stage.crop_size, tuple(dense_vertices)
        self._ring = ring = Ring.of(config, stage, len(dense), CHUNK, unsafe=(config.workers + 1) * CHUNK)
        self._rng = np.random.default_rng(seed)
        context = multiprocessing.get_context("spawn")
        total = ring.capacity * head_bytes(size, len(dense))
        memory = context.RawArray("B", total)  # a temporary file where shared memory is too small
        self._heads = _views(memory, ring.capacity, size, len(dense))
        self._made, self._used = context.RawValue("q", 0), context.RawValue("q", 0)
        self._lock = context.Lock()  # of the writers; it ends with its last reference in this process
        shared = (dense, memory, ring, size, self._made, self._used, self._lock)
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
        while self.made < self._ring.wanted(self._used.value + count):
            time.sleep(0.02)
            self._require_workers()
        rows = self._ring.rows(self._rng, self.made, count)
        self._used.value += count
        heads = self._heads
        return Heads(heads.crops[rows], heads.vectors[rows], heads.points[rows])

    def _require_workers(self) -> None:
        for worker in self._workers:
            if not worker.is_alive():
                raise TrainingError(
                    f"{worker.name}, which renders heads, failed with exit code {worker.exitcode}; see its message "
                    "above, if any, for memory that ran out or a damaged file, then start again to continue"
                )


def _render(
    model_path: Path,
    seed: int,
    dense_vertices: Sequence[int],
    memory: Any,
    ring: Ring,
    crop_size: int,
    made: Any,
    used: Any,
    lock: Any,
) -> None:
    """The loop of one rendering process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training process, which then ends this one
    if hasattr(os, "nice"):
        os.nice(5)  # training has priority
    kept = _views(memory, ring.capacity, crop_size, len(dense_vertices))
    generator = HeadGenerator(read_face_model(model_path), seed, dense_vertices)
    training = multiprocessing.parent_process()
    while training is None or training.is_alive():
        if made.value >= ring.first_fill + used.value / ring.reuse:
            time.sleep(0.05)
            continue
        heads = generator.draw(CHUNK)
        small = _resized(heads.crops, crop_size)
        with lock:
            start = made.value % ring.capacity
            kept.crops[start : start + CHUNK] = small
            kept.vectors[start : start + CHUNK] = heads.vectors
            kept.points[start : start + CHUNK] = heads.points
            made.value += CHUNK


def _resized(crops: np.ndarray, size: int) -> np.ndarray:
    if crops.shape[1] == size:
        return crops
    return np.stack([np.asarray(Image.fromarray(c).resize((size, size), Image.Resampling.BOX)) for c in crops])


def _views(memory: Any, capacity: int, size: int, dense: int) -> Heads:
    """The shared bytes as heads that can be written to: `capacity` of them, with so many dense landmarks."""
    crops = np.ndarray((capacity, size, size, 3), np.uint8, memory)
    vectors = np.ndarray((capacity, COEFFICIENT_COUNT), np.float32, memory, crops.nbytes)
    return Heads(crops, vectors, np.ndarray((capacity, dense, 2), np.float32, memory, crops.nbytes + vectors.nbytes))
