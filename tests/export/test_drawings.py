"""The files of `deep3d draw`."""

import av
import numpy as np
import pytest
import trimesh
from PIL import Image

from deep3d.drawing import depth_map
from deep3d.errors import OutputNotWritable
from deep3d.export.drawings import KINDS, write_drawings
from deep3d.export.scene import write_scene_obj, write_scene_ply

FILES = (
    "2d_sparse.jpg 2d_dense.jpg 3d.jpg depth.png depth16.png depth.npy pncc.png uv_tex.jpg pose.jpg ply.ply obj.obj "
    "normals.png albedo.jpg wireframe.jpg error.jpg uncertainty.jpg"
).split()


def test_every_kind_has_its_files(toy_reconstruction, tmp_path):
    kinds = [kind for kind in KINDS if kind != "turntable"]
    written = write_drawings([toy_reconstruction, toy_reconstruction], tmp_path / "anna", kinds)
    assert [path.name for path in written] == [f"anna_{name}" for name in FILES]
    assert {path.name for path in tmp_path.iterdir()} == {f"anna_{name}" for name in FILES}
    size = toy_reconstruction.photo.pixels.shape[1::-1]
    for name in FILES:
        if name.endswith((".jpg", ".png")) and not name.startswith("uv_tex"):
            with Image.open(tmp_path / f"anna_{name}") as picture:
                assert picture.size == size


def test_depth_files_hold_millimetres(toy_reconstruction, tmp_path):
    write_drawings([toy_reconstruction], tmp_path / "anna", ["depth"])
    depth = depth_map(toy_reconstruction, toy_reconstruction.photo)
    np.testing.assert_array_equal(np.load(tmp_path / "anna_depth.npy"), depth)
    with Image.open(tmp_path / "anna_depth16.png") as picture:
        assert picture.mode == "I;16"
        whole = np.asarray(picture)
    assert np.abs(whole - depth).max() <= 0.5


def test_a_turntable_is_a_video(toy_reconstruction, tmp_path):
    write_drawings([toy_reconstruction], tmp_path / "anna", ["turntable"])
    with av.open(str(tmp_path / "anna_turntable.mp4")) as video:
        stream = video.streams.video[0]
        assert (stream.width, stream.height, stream.frames) == (480, 480, 72)


def test_a_turntable_has_a_look(toy_reconstruction, tmp_path):
    for look in ("photo", "normals"):
        write_drawings([toy_reconstruction], tmp_path / look, ["turntable"], look)
    pictures = []
    for look in ("photo", "normals"):
        with av.open(str(tmp_path / f"{look}_turntable.mp4")) as video:
            pictures.append(next(video.decode(video=0)).to_ndarray(format="rgb24").astype(float))
    assert abs(pictures[0] - pictures[1]).max() > 60


def test_a_scene_lies_where_the_photo_shows_it(toy_reconstruction, tmp_path):
    faces = [toy_reconstruction, toy_reconstruction]
    write_scene_ply(faces, tmp_path / "a.ply")
    write_scene_obj(faces, tmp_path / "a.obj")
    seen = toy_reconstruction.to_photo(toy_reconstruction.vertices)
    height = toy_reconstruction.photo.pixels.shape[0]
    for name, tolerance in (("a.ply", 1e-3), ("a.obj", 1e-3)):
        mesh = trimesh.load_mesh(tmp_path / name, process=False, maintain_order=True)
        assert len(mesh.vertices) == 2 * len(seen)
        np.testing.assert_allclose(mesh.vertices[: len(seen), 0], seen[:, 0], atol=tolerance)
        np.testing.assert_allclose(mesh.vertices[: len(seen), 1], height - 1 - seen[:, 1], atol=tolerance)
        assert np.corrcoef(mesh.vertices[: len(seen), 2], -seen[:, 2])[0, 1] > 0.999
        assert len(mesh.faces) == 2 * len(toy_reconstruction.face_model.triangles)


def test_what_cannot_be_written_is_told_and_nothing_half_is_left(toy_reconstruction, tmp_path):
    with pytest.raises(OutputNotWritable, match="choose another folder"):
        write_drawings([toy_reconstruction], tmp_path / "missing" / "anna", ["3d"])
    with pytest.raises(ValueError, match="unknown kind '4d'"):
        write_drawings([toy_reconstruction], tmp_path / "anna", ["3d", "4d"])
    assert [path.name for path in tmp_path.iterdir()] == ["anna_3d.jpg"]
