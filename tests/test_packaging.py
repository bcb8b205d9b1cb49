"""The wheel and the source distribution hold what a user needs, and work without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def python(*arguments: str | Path, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--no-isolation", "--outdir", folder, cwd=REPOSITORY)
    return folder


def test_the_index_would_take_both(built):
    files = sorted(built.iterdir())
    assert [file.suffix for file in files] == [".whl", ".gz"]
    python("-m", "twine", "check", "--strict", *files, cwd=built)


def test_the_wheel_is_typed_and_brings_model_and_weights(built):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"deep3d/py.typed", "deep3d/data/bfm/open_face_model.safetensors"} <= names
    assert "deep3d/data/checkpoints/deep3d_resnet50.safetensors" in names
    assert not [name for name in names if name.startswith(("tests/", "examples/", "docs/"))]


def test_an_installed_wheel_works_without_the_checkout(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path, wheel, cwd=tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import deep3d\n"
        "from deep3d.network.checkpoints import read_checkpoint\n"
        f"assert deep3d.__file__.startswith({str(tmp_path)!r}), deep3d.__file__\n"
        "model = deep3d.default_face_model()\n"
        "read_checkpoint().require_model(model.info)\n"
        "print(len(model.mean_shape))\n"
    )
    assert int(python("-c", code, cwd=tmp_path)) >= 13_220
