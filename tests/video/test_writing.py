"""Pieces of videos: what is wrong with the disk is told, whenever it shows."""

from fractions import Fraction

import numpy as np
import pytest

from deep3d.errors import OutputNotWritable
from deep3d.video import writing

pytest.importorskip("av")


@pytest.mark.parametrize("asked", [0, 3], ids=["at the first frame", "after the last"])
def test_a_full_disk_is_told_at_the_beginning_and_at_the_end(asked, tmp_path, monkeypatch):
    def encode(path, rate, frames):
        for _ in zip(range(asked + 1), frames):
            pass
        with writing._telling(path):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_encode", encode)
    with (
        pytest.raises(OutputNotWritable, match="No space left"),
        writing.written_piece(tmp_path / "a.mp4", Fraction(30)) as write,
    ):
        for number in range(3):
            write(np.zeros((8, 8, 3), np.uint8), Fraction(number, 30))
