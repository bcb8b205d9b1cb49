import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pygltflib import GLTF2

from deep3d.camera import Pose
from deep3d.drawing import relight
from deep3d.errors import MaterialMissing
from deep3d.export import read_relightable, small_material_glb, write_material, write_obj
from deep3d.export.material import FILES, material_glb
from deep3d.face_model import default_face_model
from deep3d.material import separate
from deep3d.material.hdr import read_hdr
from deep3d.texture.atlas import vertex_texels
from deep3d.whole_head import WholeHead


@pytest.fixture(scope="module")
def folder(toy_reconstruction, tmp_path_factory):
    """A folder with the toy face and its material."""
    path = tmp_path_factory.mktemp("anna")
    write_obj(toy_reconstruction, path)
    write_material(toy_reconstruction, separate(toy_reconstruction, 256), path)
    return path


@pytest.fixture(scope="module")
def open_face(toy_reconstruction):
    """The toy's photo with the shipped face model, which has a whole head."""
    return replace(toy_reconstruction, face_model=default_face_model(), merged_texture=None)


def test_all_files_are_written(folder):
    assert {path.name for path in folder.iterdir()} >= set(FILES)
    for name in ("base_color", "normal", "roughness", "specular"):
        with Image.open(folder / f"{name}.png") as image:
            assert image.size == (256, 256)


def test_the_glb_has_lit_materials_and_no_required_extension(folder):
    gltf: Any = GLTF2().load(str(folder / "face_material.glb"))
    skin = gltf.materials[0]
    assert skin.pbrMetallicRoughness.baseColorTexture.index == 0
    assert skin.normalTexture.index == 1
    assert skin.pbrMetallicRoughness.metallicRoughnessTexture.index == 2
    assert skin.extensions["KHR_materials_specular"]["specularTexture"]["index"] == 3
    assert gltf.materials[1].pbrMetallicRoughness.roughnessFactor < 0.3
    assert not gltf.extensionsRequired
    assert "KHR_materials_unlit" not in gltf.extensionsUsed


def test_every_triangle_is_in_one_of_the_primitives(folder, toy_reconstruction):
    gltf: Any = GLTF2().load(str(folder / "face_material.glb"))
    counts = [gltf.accessors[part.indices].count for part in gltf.meshes[0].primitives]
    assert sum(counts) == 3 * len(toy_reconstruction.face_model.triangles)


def test_eyes_have_a_clear_coat_and_teeth_are_wet(tmp_path, open_face):
    (tmp_path / "face.glb").write_bytes(material_glb(open_face, separate(open_face, 256), None))
    gltf: Any = GLTF2().load(str(tmp_path / "face.glb"))
    skin, mouth, eyes = gltf.meshes[0].primitives
    assert [gltf.materials[part.material].name for part in (skin, mouth, eyes)] == ["skin", "mouth", "eyes"]
    coat = gltf.materials[eyes.material].extensions["KHR_materials_clearcoat"]
    assert coat["clearcoatFactor"] == 1 and coat["clearcoatRoughnessFactor"] < 0.1
    whole = WholeHead.of(open_face.face_model)
    counts = [gltf.accessors[part.indices].count // 3 for part in (skin, mouth, eyes)]
    assert sum(counts) == len(whole.triangles)
    teeth = (np.concatenate([np.zeros(len(open_face.face_model.mean_shape)), whole.parts.arch]) > 0)[whole.triangles]
    assert counts[1] >= teeth.all(axis=1).sum() > 2000 and counts[2] > 800


def test_nostrils_are_dark_in_any_light(tmp_path, open_face):
    content = material_glb(open_face, separate(open_face, 256), None)
    gltf: Any = GLTF2().load_from_bytes(content)
    packed = gltf.materials[0].occlusionTexture.index
    assert packed == gltf.materials[0].pbrMetallicRoughness.metallicRoughnessTexture.index
    view = gltf.bufferViews[gltf.images[gltf.textures[packed].source].bufferView]
    start = view.byteOffset or 0
    open_to_light = np.asarray(Image.open(io.BytesIO(gltf.binary_blob()[start : start + view.byteLength])))[..., 0]
    model = open_face.face_model
    column, row = vertex_texels(model, len(open_to_light)).T
    shape = model.mean_shape
    nose = model.landmarks(shape[None])[0][[30, 33]]
    normals = model.normals(shape[None])[0]
    beside = np.linalg.norm(shape[:, [0, 2]] - nose[1, [0, 2]], axis=1) < 0.12
    nostrils = beside & (shape[:, 1] > nose[1, 1]) & (shape[:, 1] < nose[0, 1]) & (normals[:, 1] < -0.5)
    cheeks = np.linalg.norm(shape - model.landmarks(shape[None])[0][[1, 31, 41]].mean(axis=0), axis=1) < 0.15
    shades = open_to_light[row, column].astype(float)
    assert nostrils.sum() > 20 and cheeks.sum() > 20
    left, bottom, right, top = np.rint(WholeHead.of(model).parts.palette * len(open_to_light)).astype(int)
    teeth = open_to_light[len(open_to_light) - top : len(open_to_light) - bottom, left:right]
    assert np.median(teeth) > 200  # lips that are shut may part; a JPEG of few texels
    assert shades[nostrils].min() < 0.35 * np.median(shades[cheeks]) and np.median(shades[cheeks]) > 150


def test_the_light_is_in_both_files(folder):
    light = json.loads((folder / "light.json").read_text())
    assert np.array(light["sky"]["rgb"]).shape == (25, 3)
    assert light["skin"]["deviation"] > 0
    assert read_hdr(folder / "light.hdr").max() > 0


def test_a_folder_can_be_lit_anew(folder, toy_reconstruction):
    head = read_relightable(folder, toy_reconstruction.face_model)
    bright = relight(head, np.ones((16, 32, 3), np.float32), Pose(0, 0, 0), 64)
    blue = relight(head, np.ones((16, 32, 3), np.float32) * [0.2, 0.3, 2.0], Pose(20, 0, 0), 64)
    assert bright.shape == (64, 64, 3)
    assert blue[24:40, 24:40, 2].mean() > bright[24:40, 24:40, 2].mean()


def test_a_folder_without_maps_is_told_in_one_line(tmp_path, toy_reconstruction):
    with pytest.raises(MaterialMissing, match=r"face\.obj: cannot be read; run `deep3d reconstruct --material`"):
        read_relightable(tmp_path, toy_reconstruction.face_model)


def test_the_small_file_has_the_same_materials_and_shares_its_vertices(toy_reconstruction):
    gltf: Any = GLTF2().load_from_bytes(small_material_glb(toy_reconstruction, separate(toy_reconstruction, 256)))
    assert [image.mimeType for image in gltf.images] == ["image/jpeg", "image/jpeg", "image/jpeg", "image/png"]
    assert gltf.extensionsRequired == ["KHR_mesh_quantization"]
    skin, *others = gltf.meshes[0].primitives
    assert all(each.attributes == skin.attributes for each in others)
    assert skin.attributes.TEXCOORD_0 is not None
    assert skin.targets is None or skin.targets == []
    assert gltf.materials[skin.material].normalTexture.index == 1
