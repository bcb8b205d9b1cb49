"""Angles, backgrounds and names of pictures, and those that need no drawing."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from deep3d.drawing import LOOKS as LOOKS_OF_THE_LIBRARY
from deep3d.material import PRESETS
from serving.api.models import LookQuery
from serving.pages.result import PICTURE_LOOKS, SURROUNDINGS
from serving.pictures.views import (
    LIGHTS,
    LOOKS,
    PHOTO,
    FaceFiles,
    Look,
    background_color,
    file_name,
    files_of,
    front,
    takes_long,
    zip_of,
)
from serving.store.storage import Storage
from tests.serving.pictures.test_drawing import pixels


@pytest.fixture
def storage(tmp_path):
    return Storage(f"file://{tmp_path}/files")


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


def test_a_zip_names_each_view():
    content = zip_of([((0, 0), b"a"), ((30, -5), b"b")])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [file_name((0, 0)), file_name((30, -5))]
        assert archive.read(file_name((30, -5))) == b"b"


def test_the_files_of_a_face_go_to_another_process_and_come_out():
    for files in (FaceFiles(b"{}", b"png"), FaceFiles(b"{}", b"", b"glb")):
        assert FaceFiles.from_bytes(files.to_bytes()) == files


def test_looks_and_lights_are_those_of_the_library():
    assert LOOKS == LOOKS_OF_THE_LIBRARY
    assert set(LIGHTS) == set(PRESETS)
    for name, known in (("look", LOOKS), ("light", LIGHTS)):
        asked = LookQuery.model_json_schema()["properties"][name]
        assert tuple(asked["enum"]) == known and asked["default"] == known[0]
    assert {value for value, _ in PICTURE_LOOKS} == set(LOOKS)
    assert SURROUNDINGS[0][0] == LIGHTS[0]


def test_pictures_of_a_look_are_named_after_it():
    assert file_name((30, 0), PHOTO) == "face_yaw+30_pitch+0.jpg"
    assert file_name((30, 0), Look("relit", "night")) == "face_relit-night_yaw+30_pitch+0.jpg"
    assert LookQuery(look="clay", light="night").dress() == LookQuery(look="clay").dress(), "no light falls on it"


def test_a_relit_face_needs_its_light_taken_off(storage):
    storage.write("jobs/1/face/face.json", b"{}")
    with pytest.raises(FileNotFoundError):
        files_of(storage, "jobs/1/face", Look("relit"))
    storage.write("jobs/1/pictures/face/face_material.web.glb", b"glTF")
    assert files_of(storage, "jobs/1/face", Look("relit")).surface == b"glTF"
    assert files_of(storage, "jobs/1/face", Look("clay")).surface == b""


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
