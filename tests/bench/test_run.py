"""The whole of it, with sections that are tested by themselves left out."""

import json
import sys

import pytest

from deep3d.bench import run
from deep3d.bench.figures import Section
from deep3d.errors import ExtraMissing
from tests.bench.conftest import SAMPLE

SECTIONS = ["quality", "drawing", "video", "files", "network", "fit", "process", "tools"]
"""In their order; those of photos and of the GPU take part as they are."""


def test_all_parts_are_announced_and_reported(monkeypatch, toy_reconstructor):
    made = []

    def section(name):
        return lambda *_: made.append(name) or Section(name, ())

    def absent(_):
        raise ExtraMissing("no torch")

    monkeypatch.setattr(run.Reconstructor, "load", lambda **_: toy_reconstructor)
    monkeypatch.setattr(run, "plain_pipelines", absent)
    for name in SECTIONS:
        monkeypatch.setattr(run, f"{name}_section", section(name))
    monkeypatch.setattr(run, "phone_photo", lambda content: content)
    parts: list[str] = []

    report = run.run_bench(SAMPLE, 1, parts.append)

    assert len(parts) == len(report.sections) == len(run.PARTS) and made == SECTIONS
    assert "no torch" in report.sections[0].skipped
    assert set(report.machine) >= {"processor", "cores", "packages"}
    assert json.dumps(report.to_json()) and "Not measured: no torch." in report.to_markdown()


def test_without_torch_the_plain_pipeline_is_left_out(monkeypatch, toy_reconstructor):
    monkeypatch.setitem(sys.modules, "deep3d.bench.plain", None)
    with pytest.raises(ExtraMissing, match="extras torch and train"):
        run.plain_pipelines(toy_reconstructor)
