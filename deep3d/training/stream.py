"""Synthetic heads rendered by other processes into shared memory, from which training draws at random."""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.coefficients import COEFFICIENT_COUNT
from deep3d.face_model import read_face_model
from deep3d.training.heads import HeadGenerator

CHUNK = 16  # heads drawn at a time
FIRST_FILL = 1024  # heads to wait for before the first batch


class HeadStream:
    """A ring of heads of one crop size. Rendering keeps pace with use: each head is drawn about `reuse` times.

    Use as a context manager: the rendering processes end with it.
    """

    def __init__(
        self, model_path: Path, crop_size: int, buffer_mib: int, reuse: float, workers: int, seed: int
    ) -> None:
        head_bytes = crop_size * crop_size * 3 + COEFFICIENT_COUNT * 4
        self._capacity = max(FIRST_FILL, buffer_mib * 2**20 // head_bytes) // CHUNK * CHUNK
        self._memory = shared_memory.SharedMemory(create=True, size=self._capacity * head_bytes)
        self._crops, self._vectors = _views(self._memory, self._capacity, crop_size)
        self._reuse, self._rng = reuse, np.random.default_rng(seed)
        context = multiprocessing.get_context("spawn")
        self._made, self._used = context.Value("q", 0), context.Value("q", 0)
        self._workers = [
            context.Process(
                target=_render,
                args=(
                    model_path,
                    self._memory.name,
                    self._capacity,
                    crop_size,
                    reuse,
                    self._made,
                    self._used,
                    seed + k,
                ),
                daemon=True,
            )
            for k in range(1, workers + 1)
        ]

    def __enter__(self) -> HeadStream:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.terminate()
            worker.join()
        del self._crops, self._vectors
        self._memory.close()
        self._memory.unlink()

    @property
    def made(self) -> int:
        """Heads rendered so far."""
        return self._made.value

    def batch(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Crops (count, S, S, 3) uint8 and coefficient vectors (count, 257); waits while there are too few heads."""
        while (made := self._made.value) < FIRST_FILL:
            if not any(worker.is_alive() for worker in self._workers):
                raise RuntimeError("the processes that render heads have ended; see their messages above")
            time.sleep(0.2)
        rows = self._rng.integers(0, min(made, self._capacity), count)
        self._used.value += count
        return self._crops[rows], self._vectors[rows]


def _render(model_path, memory_name, capacity, crop_size, reuse, made, used, seed) -> None:
    """The loop of one rendering process."""
    os.nice(5)  # training goes first: it is what the heads are for
    memory = shared_memory.SharedMemory(memory_name)
    crops, vectors = _views(memory, capacity, crop_size)
    generator = HeadGenerator(read_face_model(model_path), seed)
    while True:
        if made.value > FIRST_FILL and made.value * reuse > used.value + FIRST_FILL * reuse:
            time.sleep(0.05)
            continue
        heads = generator.draw(CHUNK)
        with made.get_lock():
            start = made.value % capacity
            crops[start : start + CHUNK] = _resized(heads.crops, crop_size)
            vectors[start : start + CHUNK] = heads.vectors
            made.value += CHUNK


def _resized(crops: np.ndarray, size: int) -> np.ndarray:
    if crops.shape[1] == size:
        return crops
    return np.stack([np.asarray(Image.fromarray(c).resize((size, size), Image.Resampling.BOX)) for c in crops])


def _views(memory: shared_memory.SharedMemory, capacity: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    crops = np.ndarray((capacity, size, size, 3), np.uint8, memory.buf)
    return crops, np.ndarray((capacity, COEFFICIENT_COUNT), np.float32, memory.buf, crops.nbytes)
