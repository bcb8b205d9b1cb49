"""The way from the bytes of a photo to landmarks and files."""

import io

import numpy as np
import pytest
from PIL import Image

from deep3d.bench import photos
from deep3d.bench.photos import PhotoPath, files_section, landmark_section, phone_photo
from deep3d.errors import NoFaceFound
from deep3d.photo import read_photo


def test_steps_of_the_path_make_up_the_whole(toy_reconstructor, content):
    path = PhotoPath(toy_reconstructor)
    face = path(content)
    assert list(path.steps) == ["read", "detection", "alignment", "network", "fit", "vertices and landmarks"]
    assert all(len(laps) == 1 and laps[0] >= 0 for laps in path.steps.values())
    np.testing.assert_array_equal(face.landmarks68, toy_reconstructor(read_photo(content)).landmarks68)


def test_own_path_and_others_are_beside_one_another(toy_reconstructor, content):
    asked = []
    section = landmark_section(toy_reconstructor, content, {"other": asked.append}, "other", ("peer",), rounds=1)
    figures = {figure.name: figure for figure in section.figures}
    assert set(asked) == {content} and section.skipped == ("peer",)
    assert "512 x 512" in section.title
    assert {"one photo", "8 photos at once, each", "other"} < set(figures)
    assert figures["other"].ratio == 1 and figures["one photo"].value > figures["other"].value  # which does nothing
    steps = [figure for figure in section.figures if figure.name.startswith("&emsp;")]
    assert len(steps) == 6 and all(step.ratio is None for step in steps)


def test_files_and_their_size(toy_reconstructor, content, tmp_path):
    section = files_section(toy_reconstructor, toy_reconstructor, content, tmp_path, rounds=1)
    assert {file.name for file in (tmp_path / "glb").iterdir()} >= {"face.glb"}
    assert not (tmp_path / "glb" / "face.obj").exists() and (tmp_path / "all" / "overlay.jpg").exists()
    assert section.figures[-1].value == (tmp_path / "glb" / "face.glb").stat().st_size / 1e6


def test_the_time_that_hair_adds_is_that_of_each_round(monkeypatch, toy_reconstructor, content, tmp_path):
    laps = iter([[0.1, 0.1, 0.1], [0.2, 0.3, 0.2], [0.3, 0.35, 0.4]])  # face.glb, all files, the same with hair

    def race(actions, rounds):
        for action in actions.values():
            action()
        return {name: next(laps, [1.0] * rounds) for name in actions}

    monkeypatch.setattr(photos, "race", race)
    section = files_section(toy_reconstructor, toy_reconstructor, content, tmp_path, rounds=3)
    (added,) = (figure for figure in section.figures if figure.name == "time that hair adds")
    assert (tmp_path / "hair" / "face.glb").exists()
    assert (added.value, added.low, added.high, added.unit) == pytest.approx((100, 50, 200, "ms"))


def test_a_phone_photo_has_twelve_megapixels_and_grain():
    stream = io.BytesIO()
    Image.fromarray(np.tile(np.arange(128, dtype=np.uint8), (96, 1))).convert("RGB").save(stream, "PNG")
    large = phone_photo(stream.getvalue())
    with Image.open(io.BytesIO(large)) as image:
        assert image.format == "JPEG" and abs(image.width * image.height - 12e6) < 1e4
        assert image.width / image.height == pytest.approx(4 / 3, rel=1e-3)
        assert np.asarray(image.crop((100, 100, 110, 110)), np.float32).std(axis=(0, 1)).min() > 1  # grey levels


def test_a_photo_without_a_face_is_told(toy_reconstructor):
    stream = io.BytesIO()
    Image.new("RGB", (100, 100), "grey").save(stream, "PNG")
    with pytest.raises(NoFaceFound):
        PhotoPath(toy_reconstructor)(stream.getvalue())
