"""The report for people is one file with everything in it."""

from pathlib import Path

import numpy as np
import pytest

from deep3d.errors import OutputNotWritable
from deep3d.evaluation import Benchmark, Measurement, Report, Table
from deep3d.evaluation.picture_report import write_picture_report
from deep3d.evaluation.predictor import ReconstructorPredictor


@pytest.fixture
def report() -> Report:
    photos = tuple(Path(f"set/{name}.jpg") for name in "abc")
    errors = np.array([1.25, 7.5, np.nan])
    groups = {"skin": {"light": np.array([True, True, False]), "dark": np.array([False, False, True])}}
    measurement = Measurement(photos, {"nme51": errors}, groups, {"balanced": 4.0})
    benchmark = Benchmark("toy", "A < toy > set.", (("nme51", "mean"),), lambda predictor, progress: measurement)
    return Report((Table(benchmark, {"mean face": measurement, "toy": measurement}),), "a machine", "2026-01-01")


def test_tables_plots_and_the_worst_photos(report, tmp_path, toy_reconstruction):
    class Drawing(ReconstructorPredictor):
        name = "toy"  # pyright: ignore[reportAssignmentType]

        def __init__(self) -> None:
            self.asked: list[str] = []

        def reconstructions(self, photos):
            self.asked = [photo.name for photo in photos]
            yield from (toy_reconstruction for _ in photos)

    drawing = Drawing()
    page = write_picture_report(report, tmp_path / "new", [object(), drawing]).read_text()
    assert drawing.asked == ["b.jpg", "a.jpg"]  # the worst first
    assert "A &lt; toy &gt; set." in page and "4.38" in page and "No face found: c.jpg" in page
    assert page.count("<svg") == 2 and page.count("data:image/jpeg;base64,") == 2
    assert "b.jpg: 7.50" in page
    assert 'src="http' not in page and "<script" not in page and 'rel="stylesheet"' not in page


def test_a_place_that_cannot_be_written_is_told(report, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputNotWritable, match="choose another folder"):
        write_picture_report(report, tmp_path / "file" / "x", [])
