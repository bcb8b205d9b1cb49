"""Kernels are compiled in two processes, and how far they are is told."""

from __future__ import annotations

from multiprocessing import Pipe
from typing import Any

import numpy as np
import pytest

from deep3d import default_face_model
from deep3d.cli import compiling_ahead
from deep3d.cli.compiling_ahead import USUAL_KERNELS, CompilationFailed, mean_face


class Process:
    """One that is alive for some looks, and then ends with a code."""

    def __init__(self, looks: int, exitcode: int = 0) -> None:
        self.name, self.looks, self._code = "finding", looks, exitcode

    def is_alive(self) -> bool:
        self.looks -= 1
        return self.looks >= 0

    @property
    def exitcode(self) -> int | None:
        return None if self.looks > 0 else self._code


def progress(processes: list[Any], compiled: int) -> list[float]:
    said, says = Pipe(duplex=False)
    for _ in range(compiled):
        says.send(None)
    return list(compiling_ahead._progress(processes, said))


def test_the_part_that_is_done_is_told_and_ends_with_all():
    shares = progress([Process(2), Process(1)], USUAL_KERNELS // 2)
    assert shares[0] == pytest.approx(0.5, abs=0.01)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_more_kernels_than_usual_are_not_told_as_more_than_all():
    assert max(progress([Process(1)], USUAL_KERNELS * 2)[:-1]) < 1


def test_a_process_that_breaks_is_told():
    with pytest.raises(CompilationFailed, match="finding: the process failed with exit code 3"):
        progress([Process(2, 3)], 0)


def test_the_landmarks_lie_on_the_drawn_face():
    model = default_face_model()
    photo = mean_face(model)
    landmarks = compiling_ahead._landmarks(model)[17:]  # without the outline
    face = (photo.pixels != photo.pixels[0, 0]).any(axis=2)
    columns, rows = np.rint(landmarks).astype(int).T
    assert face[rows, columns].all()
