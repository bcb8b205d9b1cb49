"""Hair in the files of a face."""

from dataclasses import replace

# pyright: reportOptionalMemberAccess=false, reportCallIssue=false, reportArgumentType=false
import numpy as np
import pytest
import trimesh
from PIL import Image
from pygltflib import GLTF2

from deep3d.camera import Pose
from deep3d.drawing import draw_view
from deep3d.drawing.overlay import draw_overlay
from deep3d.export import read_hair, write_results, write_web
from deep3d.export.gltf.face import glb
from deep3d.hair import Hair
from deep3d.mesh import Mesh
from deep3d.rendering.cpu import CpuRasterizer

GREEN = (20, 200, 40)


@pytest.fixture
def cap():
    """Half of it is clear: a sphere round the toy face's upper end."""
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=0.6)
    vertices = (sphere.vertices + [0, 0.9, 0]).astype(np.float32)
    uv = np.stack([(vertices[:, 0] + 1) / 2, (vertices[:, 1] + 1) / 3], axis=1).astype(np.float32)
    image = np.zeros((64, 64, 4), np.uint8)
    image[..., :3] = GREEN
    image[:, 32:, 3] = 255
    triangles = sphere.faces.astype(np.int32)
    return Hair(Mesh(vertices, triangles, uv, triangles), image)


@pytest.fixture
def haired(toy_reconstruction, cap):
    face = replace(toy_reconstruction)
    face.__dict__["hair"] = cap  # in place of what the cached property would find
    return face


def test_the_glb_has_a_second_mesh_with_its_own_material(haired, cap):
    file = GLTF2.load_from_bytes(glb(haired))
    assert [mesh.name for mesh in file.meshes] == ["face", "hair"] and file.scenes[0].nodes == [0, 1]
    (primitive,) = file.meshes[1].primitives
    material = file.materials[primitive.material]
    assert material.name == "hair" and material.alphaMode == "BLEND" and file.materials[0].alphaMode != "BLEND"
    texture = file.textures[material.pbrMetallicRoughness.baseColorTexture.index]
    assert file.images[texture.source].mimeType == "image/png"
    assert np.allclose(file.accessors[primitive.attributes.POSITION].max, cap.mesh.vertices.max(axis=0) / 10, atol=1e-6)


def test_files_of_a_head_without_hair_are_those_of_the_head_alone(toy_reconstruction, tmp_path):
    write_results(toy_reconstruction, tmp_path / "face")
    assert not list((tmp_path / "face").glob("hair*"))
    assert len(GLTF2.load_from_bytes(glb(toy_reconstruction)).meshes) == 1


def test_a_rerun_without_hair_takes_the_files_of_hair_away(haired, toy_reconstruction, tmp_path):
    write_results(haired, tmp_path / "face")
    assert {path.name for path in (tmp_path / "face").glob("hair*")} == {"hair.obj", "hair.mtl", "hair.png"}
    write_results(toy_reconstruction, tmp_path / "face")
    assert not list((tmp_path / "face").glob("hair*"))


def test_the_obj_stands_beside_that_of_the_face_in_its_millimetres(haired, cap, tmp_path):
    write_results(haired, tmp_path / "face", ["obj"])
    mesh = trimesh.load(tmp_path / "face" / "hair.obj", process=False)
    assert np.allclose(
        mesh.bounds, np.stack([cap.mesh.vertices.min(axis=0), cap.mesh.vertices.max(axis=0)]) * 100, atol=0.01
    )
    with Image.open(tmp_path / "face" / "hair.png") as picture:
        assert picture.mode == "RGBA" and (np.asarray(picture) == cap.image).all()


def test_the_file_for_browsers_keeps_it(haired, tmp_path):
    write_results(haired, tmp_path, ["glb"])
    write_web(haired, tmp_path)
    file = GLTF2().load(tmp_path / "face.web.glb")
    assert [mesh.name for mesh in file.meshes] == ["face", "hair"]
    assert file.materials[file.meshes[1].primitives[0].material].alphaMode == "BLEND"


def test_it_is_read_again_from_either_file(haired, cap, toy_reconstruction, tmp_path):
    write_results(haired, tmp_path, ["glb"])
    write_web(haired, tmp_path)
    for name, step in (("face.glb", 1e-6), ("face.web.glb", 4e-4)):
        again = read_hair((tmp_path / name).read_bytes())
        assert np.abs(again.mesh.vertices - cap.mesh.vertices).max() <= step
        assert (again.mesh.triangles == cap.mesh.triangles).all() and (again.image == cap.image).all()
        assert np.abs(again.mesh.uv - cap.mesh.uv).max() < 1e-4
    assert read_hair(glb(toy_reconstruction)) is None


def test_views_show_it_where_it_is_opaque_and_before_the_head(haired, cap):
    bare, worn = (draw_view(haired.mesh, haired.texture, Pose(0, 0, 0), 200, hair=hair) for hair in (None, cap))
    green = np.abs(worn.astype(int) - GREEN).max(axis=2) < 3
    assert green[:, 110:].sum() > 500 and green[:, :80].sum() == 0
    assert (worn[0, 0] == 255).all() and bare.shape == worn.shape


def test_the_overlay_shows_it(haired, toy_reconstruction):
    bare, worn = (draw_overlay(each, CpuRasterizer()) for each in (toy_reconstruction, haired))
    assert (bare[:, :768] == worn[:, :768]).all()
    green = np.abs(worn[:, 768:].astype(int) - GREEN).max(axis=2) < 6
    assert green.sum() > 1000


def test_the_border_of_hair_is_smooth_where_nothing_is_behind_it(toy_reconstruction, cap):
    """Not a staircase of pixels that are hair or not."""
    solid = Hair(cap.mesh, np.dstack([cap.image[..., :3], np.full((64, 64), 255, np.uint8)]))
    face = toy_reconstruction
    picture = draw_view(face.mesh, face.texture, Pose(0, 0, 0), 256, hair=solid)
    top = picture[: np.flatnonzero((picture != 255).any(axis=2).any(axis=1))[0] + 30, :, 0].astype(int)
    between = (top > GREEN[0] + 30) & (top < 225)
    assert between.sum() > 20


def test_the_heads_border_blends_with_the_hair_behind_it(toy_reconstruction, cap):
    """Not with the background, which made white dots round ears."""
    face, ball = toy_reconstruction, cap.mesh
    wide = ((ball.vertices - [0, 0.9, 0]) * 4 - [0, 0, 3]).astype(np.float32)
    opaque = np.dstack([cap.image[..., :3], np.full((64, 64), 255, np.uint8)])
    behind = Hair(Mesh(wide, ball.triangles, ball.uv, ball.uv_triangles), opaque)
    dark = np.zeros_like(face.texture)
    picture = draw_view(face.mesh, dark, Pose(0, 0, 0), 256, hair=behind)
    head = (picture < 15).all(axis=2)
    round_head = np.zeros_like(head)
    for shift in (-2, -1, 1, 2):
        round_head |= np.roll(head, shift, axis=0) | np.roll(head, shift, axis=1)
    rim = picture[round_head & ~head].astype(int)
    assert len(rim) > 100 and (rim[:, 0] <= GREEN[0] + 5).mean() > 0.98
