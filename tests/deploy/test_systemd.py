"""The systemd units, as systemd itself reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing(units, tmp_path):
    here = str(Path(sys.executable).parent)
    for name, text in units.items():
        (tmp_path / name).write_text(text.replace("/opt/deep3d/.venv/bin", here), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_all_read_the_same_settings(units):
    assert set(units) == {"deep3d-web.service", "deep3d-live.service", "deep3d-worker.service"}
    for text in units.values():
        assert re.findall(r"^EnvironmentFile=(.+)$", text, re.MULTILINE) == ["/etc/deep3d.env"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_little_exposed(units, tmp_path):
    for name, text in units.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", "--no-pager", *units]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-1500:] + result.stderr


def test_memory_is_bounded_and_system_calls_are_few(units):
    for text in units.values():
        assert re.search(r"^MemoryMax=\d+G$", text, re.MULTILINE)
        assert "\nSystemCallFilter=@system-service\n" in text


def test_a_signal_reaches_the_first_process_only(units):
    """A second one would end the processes of Dramatiq and gunicorn at once."""
    for text in units.values():
        assert "\nKillMode=mixed\n" in text


def test_data_go_where_the_services_may_write(deploy, units):
    env_file = (deploy / "systemd" / "deep3d.env").read_text(encoding="utf-8")
    folder = re.findall(r"^DEEP3D_DATA_DIR=/var/lib/(.+)$", env_file, re.MULTILINE)
    for text in units.values():
        assert re.findall(r"^StateDirectory=(.+)$", text, re.MULTILINE) == folder


def test_redis_has_a_password(deploy):
    env_file = (deploy / "systemd" / "deep3d.env").read_text(encoding="utf-8")
    assert re.search(r"^DEEP3D_BROKER_URL=redis://:\w+@", env_file, re.MULTILINE)
