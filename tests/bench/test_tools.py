"""The tools on one core."""

import os

import pytest

from deep3d.bench import tools
from deep3d.face_model import default_face_model


def test_drawing_and_heads_are_measured(monkeypatch):
    monkeypatch.setattr(tools, "HEADS", 2)
    section = tools.tools_section(default_face_model(), rounds=1)
    assert [figure.unit for figure in section.figures] == ["ms", "ms", "per second"]
    assert all(figure.value > 0 for figure in section.figures)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux binds threads to cores")
def test_the_cores_are_given_back():
    before = os.sched_getaffinity(0)
    with tools._one_core() as where:
        assert where == "one core" and len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
