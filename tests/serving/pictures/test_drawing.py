"""Pictures of the server are those of the library, kept where many ask for the same."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from deep3d import Pose, default_face_model, draw_view
from serving.pictures import drawing
from serving.pictures.drawing import SMALLEST, background_color, file_name, front, snapshot, takes_long, zip_of
from serving.store.storage import Storage
from tests.serving.conftest import write_mean_face

SIZE = 256


@pytest.fixture
def storage(tmp_path):
    storage = Storage(f"file://{tmp_path}/files")
    write_mean_face(storage, "face")
    return storage


def pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(float)


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (-40.0, 10.0)])
def test_a_snapshot_is_the_picture_of_the_library(storage, yaw, pitch):
    model = default_face_model()
    with Image.open(io.BytesIO(storage.read("face/texture.png"))) as texture:
        expected = draw_view(model.mesh(model.mean_shape), np.asarray(texture), Pose(yaw, pitch, 0), SIZE, (0, 0, 0))
    difference = abs(pixels(snapshot(storage, "face", (yaw, pitch), SIZE, "black")) - expected)
    assert difference.mean() < 1, "JPEG alone changes less"
    assert expected.max() > 100


def test_pictures_that_many_ask_for_are_kept(storage, monkeypatch):
    first = snapshot(storage, "face", (30.0, 0.0), SIZE, "white")
    monkeypatch.setattr(drawing, "draw_view", lambda *arguments: pytest.fail("drawn again"))
    assert snapshot(storage, "face", (30.0, 0.0), SIZE, "white") == first


def test_the_front_is_that_of_the_overlay(storage):
    row = np.zeros((384, 1680, 3), np.uint8)
    for number, start in enumerate((0, 384, 768, 1072, 1376)):
        row[:, start:] = 50 * number
    overlay = io.BytesIO()
    Image.fromarray(row).save(overlay, "JPEG", quality=95, subsampling="4:4:4")
    storage.write("face/overlay.jpg", overlay.getvalue())
    picture = pixels(front(storage, "face"))
    assert picture.shape == (384, 304, 3)
    assert abs(picture - 150).max() < 3


@pytest.mark.parametrize(
    ("view", "size", "background"),
    [((0.5, 0.0), SIZE, "white"), ((0.0, 0.0), 65, "white"), ((0.0, 0.0), SIZE, "102030")],
)
def test_other_pictures_fill_no_disk(storage, view, size, background):
    snapshot(storage, "face", view, size, background)
    assert not storage.exists("face/snapshots")


def test_a_zip_has_each_view_once(storage):
    content = zip_of(storage, "face", [(0, 0), (30, 0), (0, 0)], SMALLEST, "grey")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [file_name((0, 0)), file_name((30, 0))]


def test_only_many_large_pictures_take_long():
    assert not takes_long([(0, 0)] * 5, 1024)
    assert takes_long([(0, 0)] * 32, 1024)


@pytest.mark.parametrize(("name", "color"), [("white", (255, 255, 255)), ("102030", (16, 32, 48))])
def test_a_background_is_a_name_or_six_digits(name, color):
    assert background_color(name) == color


@pytest.mark.parametrize("name", ["", "#102030", "12345", "red;"])
def test_another_background_is_refused(name):
    with pytest.raises(ValueError, match="background"):
        background_color(name)
