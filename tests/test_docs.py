"""The documentation site builds without a warning, and its reference has every public name."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import deep3d

REPOSITORY = Path(__file__).parents[1]


def test_the_site_builds_and_has_every_public_name(tmp_path):
    call = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", tmp_path]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(call, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    inventory = (tmp_path / "objects.inv").read_bytes().split(b"\n", 4)[4]
    names = {line.split()[0] for line in zlib.decompress(inventory).decode().splitlines()}
    assert {f"deep3d.{name}" for name in deep3d.__all__} <= names
    assert (tmp_path / "reference" / "http" / "index.html").read_text().count("/api/v1/jobs") >= 3
