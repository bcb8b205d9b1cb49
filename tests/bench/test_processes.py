"""Whole processes."""

import pytest

from deep3d.bench import processes
from tests.bench.conftest import SAMPLE

linux = pytest.mark.skipif(not processes._MEMORY.exists(), reason="memory is read from /proc")


@linux
def test_peak_and_lasting_memory_are_told_apart():
    code = "data = bytearray(200_000_000)\ndel data"
    peak, held = (int(held) / 1e6 for held in processes._python(processes._TELL + code))
    assert held < 100 and peak > held + 190  # MB


def test_commands_and_workers_are_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "_families", lambda: ["onnx"])
    monkeypatch.setattr(processes, "_COMMAND", "import sys\nassert sys.argv[-1] == 'onnx'")
    monkeypatch.setattr(processes, "_WORKER", "import sys\nassert sys.argv[-1] == 'onnx'")
    section = processes.process_section(SAMPLE, tmp_path, rounds=1)
    units = {figure.name: figure.unit for figure in section.figures}
    assert units.pop("deep3d --help") == units.pop("deep3d reconstruct --runtime onnx, cold") == "ms"
    assert set(units.values()) <= {"MB"}


@linux
def test_a_worker_holds_a_face_and_loads_no_torch(tmp_path):
    code = processes._WORKER + "\nassert 'torch' not in sys.modules"
    _, held = processes._python(processes._TELL + code, SAMPLE, tmp_path / "warm", "onnx")
    assert 100e6 < int(held) < 1e9
    assert (tmp_path / "warm" / "face.glb").is_file()
