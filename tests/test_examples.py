"""Every script of examples/ runs on the sample photo and leaves what it promises."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep3d import Reconstructor, depth_map, read_photo

REPOSITORY = Path(__file__).parents[1]
SAMPLE = REPOSITORY / "docs" / "sample" / "astronaut.jpg"
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample twice."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(SAMPLE, folder / name)
    return folder


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results of the sample photo."""
    folder = tmp_path_factory.mktemp("result")
    run("one_photo.py", SAMPLE, folder)
    return folder


def run(name: str, *arguments: Path) -> str:
    call = [sys.executable, REPOSITORY / "examples" / name, *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_photo(result):
    assert (result / "face.glb").exists() and (result / "overlay.jpg").exists()


def test_folder_of_photos(photos, tmp_path):
    assert run("folder_of_photos.py", photos, tmp_path) == "a.jpg: done\nb.jpg: done\n"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_everybody_in_a_photo(tmp_path):
    assert run("everybody_in_a_photo.py", SAMPLE, tmp_path) == "1 faces\n"
    assert (tmp_path / "face-1" / "face.glb").exists()


def test_one_person(photos, tmp_path):
    """Two pictures: a second copy of one would not count."""
    tilted = tmp_path / "tilted.jpg"
    with Image.open(SAMPLE) as sample:
        sample.rotate(8, Image.Resampling.BICUBIC).save(tilted)
    told = run("one_person.py", tmp_path, photos / "a.jpg", tilted)
    shares = [int(share) for share in re.findall(r"(\d+)% of the shape", told)]
    assert len(shares) == 2 and min(shares) > 30
    assert (tmp_path / "face.glb").exists()


def test_landmarks_of_your_own(result, tmp_path):
    run("landmarks_of_your_own.py", SAMPLE, result / "face.json", tmp_path)
    fitted, seen = (json.loads((folder / "face.json").read_text()) for folder in (tmp_path, result))
    assert abs(fitted["pose"]["yaw"] - seen["pose"]["yaw"]) < 8


def test_views(tmp_path):
    run("views.py", SAMPLE, tmp_path)
    assert len({path.read_bytes() for path in tmp_path.glob("yaw_*.jpg")}) == 5


def test_another_expression(tmp_path):
    run("another_expression.py", SAMPLE, tmp_path / "smile.jpg")
    assert (tmp_path / "smile.jpg").stat().st_size > 5_000


def test_how_sure():
    assert "% expected, keep" in run("how_sure.py", SAMPLE)


def test_distance_between_people(photos):
    assert run("distance_between_people.py", photos / "a.jpg", photos / "b.jpg") == "0.00 mm\n"


def test_detector_of_your_own(tmp_path):
    assert run("detector_of_your_own.py", SAMPLE, tmp_path).endswith("faces\n")


def test_every_example_has_a_test():
    assert {f"test_{path.stem}" for path in EXAMPLES} <= set(globals())


def test_depth_of_another_network(tmp_path):
    depth = depth_map(Reconstructor.load()(SAMPLE), read_photo(SAMPLE))
    np.save(tmp_path / "inverse.npy", np.where(depth > 0, 1000 / np.maximum(depth, 1), 0.2))
    said = run("depth_of_another_network.py", SAMPLE, tmp_path / "inverse.npy", tmp_path / "mesh.ply")
    assert "cm to the nearest point" in said and (tmp_path / "mesh.ply").stat().st_size > 100_000
