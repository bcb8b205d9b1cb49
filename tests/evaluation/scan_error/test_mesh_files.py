"""Scans are read as they were written, or refused in one line."""

import numpy as np
import pytest
import trimesh

from deep3d.errors import DatasetError
from deep3d.evaluation.scan_error.mesh_files import read_picked_points, read_scan
from tests.evaluation.conftest import write_obj, write_picked_points

VERTICES = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])  # two at one place stay two
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])


@pytest.mark.parametrize("name", ["scan.obj", "scan.ply", "ascii.ply"])
def test_vertices_keep_number_and_order(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".obj":
        write_obj(path, VERTICES, TRIANGLES)
    else:
        mesh = trimesh.Trimesh(VERTICES, TRIANGLES, process=False)
        mesh.export(path, encoding="ascii" if path.stem == "ascii" else "binary")
    scan = read_scan(path)
    np.testing.assert_allclose(scan.vertices, VERTICES)
    np.testing.assert_array_equal(scan.triangles, TRIANGLES)


def test_points_alone_are_a_scan(tmp_path):
    write_obj(tmp_path / "points.obj", VERTICES, np.empty((0, 3), int))
    np.testing.assert_allclose(read_scan(tmp_path / "points.obj").vertices, VERTICES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.obj", None, "scan missing"),
        ("scan.stl", b"solid", "not '.stl'"),
        ("empty.obj", b"", "no vertices|damaged"),
        ("broken.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 9\n", "damaged|no vertices"),
        ("broken.wrl", b"point [ 1 2 ] coordIndex [ 0 ]", "damaged"),
        ("empty.wrl", b"#VRML V2.0 utf8", "no vertices"),
    ],
)
def test_bad_scans_are_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_scan(tmp_path / name)


def test_picked_points_come_in_their_order(tmp_path):
    write_picked_points(tmp_path / "a.pp", VERTICES)
    np.testing.assert_allclose(read_picked_points(tmp_path / "a.pp"), VERTICES)
    (tmp_path / "b.pp").write_text("<PickedPoints><point x='1' y='2'/></PickedPoints>")
    (tmp_path / "c.pp").write_text("x y z")
    for name, message in (("b.pp", "no picked points of MeshLab"), ("c.pp", "no picked"), ("d.pp", "missing")):
        with pytest.raises(DatasetError, match=message):
            read_picked_points(tmp_path / name)
