from typing import Any

import numpy as np
import trimesh

from deep3d.export import write_ply


def test_ply_has_the_mesh_and_the_textures_colours(toy_reconstruction, tmp_path):
    write_ply(toy_reconstruction, tmp_path)
    mesh: Any = trimesh.load_mesh(tmp_path / "face.ply", process=False)
    np.testing.assert_allclose(mesh.vertices, toy_reconstruction.vertices * 100, rtol=1e-6)
    np.testing.assert_array_equal(mesh.faces, toy_reconstruction.face_model.triangles)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], colours_by_loop(toy_reconstruction))


def test_ply_has_normals_so_that_viewers_shade_it_smooth(toy_reconstruction, tmp_path):
    write_ply(toy_reconstruction, tmp_path)
    header, _, content = (tmp_path / "face.ply").read_bytes().partition(b"end_header\n")
    names = [
        line.split()[-1].decode()
        for line in header.splitlines()
        if line.startswith((b"property float", b"property uchar"))
    ]
    assert names == ["x", "y", "z", "nx", "ny", "nz", "red", "green", "blue"]
    kinds = [(name, "u1" if name in ("red", "green", "blue") else "<f4") for name in names]
    vertices = np.frombuffer(content, kinds, len(toy_reconstruction.vertices))
    normals = np.stack([vertices[name] for name in ("nx", "ny", "nz")], axis=1)
    np.testing.assert_allclose(normals, toy_reconstruction.normals, rtol=1e-6)


def colours_by_loop(reconstruction):
    mesh, texture = reconstruction.mesh, reconstruction.texture.astype(float)
    size = len(texture)
    uv_index = {int(v): int(t) for v, t in zip(mesh.triangles.ravel(), mesh.uv_triangles.ravel())}
    colours = np.zeros((len(mesh.vertices), 3))
    for vertex in range(len(mesh.vertices)):
        u, v = mesh.uv[uv_index[vertex]].astype(float)
        x, y = np.clip([u * size - 0.5, (1 - v) * size - 0.5], 0, size - 1)
        for row, wy in ((int(y), 1 - y % 1), (min(int(y) + 1, size - 1), y % 1)):
            for column, wx in ((int(x), 1 - x % 1), (min(int(x) + 1, size - 1), x % 1)):
                colours[vertex] += wy * wx * texture[row, column]
    return np.rint(colours)
