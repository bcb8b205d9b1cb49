"""The Dockerfile: linted, and made of files that are there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement


def test_hadolint_finds_nothing(deploy):
    hadolint = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([hadolint, "Dockerfile"], cwd=deploy, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_it_copies_is_there_and_not_ignored(deploy, dockerfile):
    kept = (deploy / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    kept = [line.removeprefix("!") for line in kept if line.startswith("!")]
    lines = re.findall(r"^COPY (?!--from).+$", dockerfile, re.MULTILINE)
    copied = [source for line in lines for source in line.split()[1:-1]]
    mounted = re.findall(r"source=([^,\s]+)", dockerfile)
    for source in [*copied, *mounted]:
        assert (deploy.parent / source).exists(), source
        assert any(pattern.startswith(source) or source.startswith(f"{pattern}/") for pattern in kept), source
    for pattern in kept:
        assert list(deploy.parent.glob(pattern)), f"{pattern} keeps nothing"
    for part in _built_of(deploy):
        assert part in kept, f"{part} is missing"


def test_it_takes_all_that_the_package_is_built_of(deploy, dockerfile):
    """What hatchling reads: everything that pyproject.toml puts into the wheel."""
    folders = {part.rpartition("/")[0] or part for part in _built_of(deploy)}
    assert folders == {"bfm", "checkpoints", "deep3d", "docs/sample", "serving"}
    for folder in folders:
        assert f"COPY {folder} {folder}" in dockerfile


def test_nothing_is_installed_without_its_digest(deploy, dockerfile):
    assert "--require-hashes" in dockerfile
    assert all(
        "--no-deps" in line or "--require-hashes" in line
        for line in dockerfile.splitlines()
        if " install " in line and "pip" in line
    )
    pinned = re.findall(r"^([\w.-]+)==(\S+) \\\n    --hash=sha256:", _lock(deploy), re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.-]+==", _lock(deploy), re.MULTILINE)) > 50
    constrained = dict(
        line.split("==") for line in (deploy.parent / "constraints.txt").read_text().splitlines() if "==" in line
    )
    assert {name: version for name, version in pinned if constrained.get(name, version) != version} == {}


def test_the_lock_has_all_that_the_site_needs(deploy):
    """What these need themselves, too: pip refuses to install anything without its digest."""
    project = tomllib.loads((deploy.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed: set[str] = set()
    for each in (*project["dependencies"], *extras["serving"], *extras["openvino"]):
        _add_needed(Requirement(each), needed)
    assert needed - {_normal(name) for name in re.findall(r"^([\w.-]+)==", _lock(deploy), re.MULTILINE)} == set()


def _add_needed(requirement: Requirement, needed: set[str]) -> None:
    """Add what is installed for a requirement, and for what that requires."""
    wanted = [{"extra": extra} for extra in (requirement.extras or ("",))]
    if requirement.marker is not None and not any(map(requirement.marker.evaluate, wanted)):
        return
    name = _normal(requirement.name)
    if name in needed and not requirement.extras:
        return
    needed.add(name)
    for line in metadata.requires(requirement.name) or ():
        inner = Requirement(line)
        if inner.marker is None or any(inner.marker.evaluate(extra) for extra in wanted):
            inner.marker = None
            _add_needed(inner, needed)


def _lock(deploy: Path) -> str:
    return (deploy / "requirements.txt").read_text(encoding="utf-8")


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_an_environment_loses_only_what_no_site_uses(deploy, tmp_path):
    packages = tmp_path / "lib/python3.11/site-packages"
    kept = [
        "babel/locale-data/de_AT.dat",
        "babel/locale-data/root.dat",
        "openvino/libs/libopenvino_intel_cpu_plugin.so",
        "pygments/lexers/__init__.py",
        "pygments/lexers/_mapping.py",
        "scipy/ndimage/__init__.py",
    ]
    lost = ["babel/locale-data/fr.dat", "openvino/libs/libopenvino_intel_gpu_plugin.so", "numpy/ma/tests/test_core.py"]
    lost += ["onnx/backend/test/data", "onnxruntime/capi", "onnxruntime-1.2.dist-info/METADATA"]
    lost += ["openvino/include/openvino.hpp", "openvino/cmake/OpenVINOConfig.cmake", "scipy/stats/__init__.py"]
    lost += ["numpy/_core/include/numpy/arrayobject.h", "openvino/__init__.pyi", "pygments/lexers/javascript.py"]
    lost += ["scipy/optimize/__init__.py", "sqlalchemy/testing/config.py"]
    for file in kept + lost:
        (packages / file).parent.mkdir(parents=True, exist_ok=True)
        (packages / file).touch()
    subprocess.run([deploy / "slim.sh", tmp_path], check=True)
    assert [file for file in kept + lost if (packages / file).exists()] == kept


def test_no_process_of_a_site_imports_what_is_lost(deploy):
    [parts] = re.findall(
        r"for part in ([a-z ]+); do\n    rm -rf scipy/", (deploy / "slim.sh").read_text(encoding="utf-8")
    )
    lost = {f"scipy.{part}" for part in parts.split()} | {"sqlalchemy.testing"}
    processes = (
        "serving.app, serving.worker.process, serving.live.process, serving.pictures.drawer, serving.jobs.decoder"
    )
    code = f"import sys, {processes}; sys.exit(bool({lost!r} & set(sys.modules)))"
    assert "scipy.stats" in lost
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_runs_as_nobody_in_particular(dockerfile):
    last = dockerfile.split("\nFROM ")[-1]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == re.findall(r"--uid (\d+)", last)


def _built_of(deploy: Path) -> list[str]:
    """Folders, and patterns of files, that go into the wheel."""
    project = (deploy.parent / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'"/([^"]+)"', re.findall(r"^include = (.+)$", project, re.MULTILINE)[0])
