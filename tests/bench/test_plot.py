"""The picture of a benchmark."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from deep3d.bench.figures import BenchReport, Section, compared, figure
from deep3d.bench.plot import draw_bars, require_drawable
from deep3d.errors import ConfigError, ExtraMissing


def test_each_section_with_times_is_drawn(tmp_path):
    race = Section("Race", tuple(compared({"&emsp;a": [0.001, 0.002], "b": [0.004, 0.005]}, "b")), "b")
    size = Section("Size", (figure("face.glb", [3.5], "MB"),))
    again = Section("Again", race.figures)
    for name, sections in [("one.png", (race, size)), ("two.png", (race, size, again))]:
        draw_bars(BenchReport(sections, {}, ""), tmp_path / name)
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert one.width == two.width and two.height == pytest.approx(2 * one.height, abs=1)  # sizes are not drawn
        assert len(one.convert("L").getcolors() or []) > 10


def test_a_name_that_is_no_picture_s_is_told_before_anything_is_measured():
    with pytest.raises(ConfigError, match=r"times\.xyz must end like a picture"):
        require_drawable(Path("times.xyz"))


def test_without_matplotlib_that_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    with pytest.raises(ExtraMissing, match="matplotlib"):
        require_drawable(Path("times.png"))
    require_drawable(None)
