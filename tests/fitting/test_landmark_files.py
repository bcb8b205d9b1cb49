"""Landmarks as others write them."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deep3d.errors import LandmarksInvalid
from deep3d.fitting import read_landmarks68, told_placement

POINTS = np.random.default_rng(0).uniform(0, 300, (68, 2)).round(3)


def table(separator: str, offset: float = 0) -> str:
    return "\n".join(f"{x + offset:.3f}{separator}{y + offset:.3f}" for x, y in POINTS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.pts", "version: 1\nn_points: 68\n{\n" + table(" ", offset=1) + "\n}\n"),
        ("a.txt", table(" ")),
        ("a.csv", table(", ")),
        ("a.json", json.dumps(POINTS.tolist())),
        ("face.JSON", json.dumps({"schema": "deep3d.face/2", "landmarks68": POINTS.tolist()})),
    ],
)
def test_every_kind_of_file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert_allclose(read_landmarks68(tmp_path / name), POINTS, atol=1e-6)


def test_an_array(tmp_path):
    np.save(tmp_path / "a.npy", POINTS)
    assert_allclose(read_landmarks68(tmp_path / "a.npy"), POINTS)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.doc", "", "unknown kind"),
        ("a.txt", "1 2\n3 4", r"array of \(2, 2\)"),
        ("a.txt", "1 2\n3", "not a file of 68"),
        ("a.csv", "x,y\n1,2", "not a file of 68"),
        ("a.json", "{}", "not a file of 68"),
        ("a.json", "{", "not a file of 68"),
        ("a.npy", "", "not a file of 68"),
        ("a.txt", table(" ").replace(f"{POINTS[4, 0]:.3f}", "nan"), "landmark 5 is not finite"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(LandmarksInvalid, match=message) as caught:
        read_landmarks68(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(LandmarksInvalid, match=r"none\.pts: cannot be read"):
        read_landmarks68(tmp_path / "none.pts")


@pytest.mark.parametrize(
    ("content", "placement"),
    [
        ({"schema": "deep3d.face/1", "landmarks68": POINTS.tolist()}, "mediapipe"),
        ({"schema": "deep3d.face/2", "landmarks68": POINTS.tolist(), "landmarks68_contour": []}, "fixed"),
        ({"landmarks68_contour": POINTS.tolist()}, "contour"),
        ({"landmarks68_mediapipe": POINTS.tolist()}, "mediapipe"),
        ({"landmarks68": POINTS.tolist()}, None),
        (POINTS.tolist(), None),
    ],
)
def test_json_tells_where_it_has_the_points(tmp_path, content, placement):
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert told_placement(tmp_path / "a.json") == placement
    assert_allclose(read_landmarks68(tmp_path / "a.json"), POINTS)


def test_only_annotations_of_300w_tell_by_their_kind(tmp_path):
    assert told_placement(tmp_path / "a.PTS") == "contour"
    assert told_placement(tmp_path / "a.npy") is None
