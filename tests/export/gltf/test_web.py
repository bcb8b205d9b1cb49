"""The small mesh for browsers is the face, and the shared expressions are those of face.glb."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pygltflib import GLTF2

from deep3d.export import expression_file, write_results, write_web
from deep3d.export.gltf.face import whole_vertices
from deep3d.export.gltf.file import METRES
from deep3d.export.gltf.morph_targets import morph_targets
from deep3d.export.gltf.web import STEP
from deep3d.face_model import default_face_model
from deep3d.whole_head import WholeHead


@pytest.fixture
def folder(toy_reconstruction, tmp_path):
    write_results(toy_reconstruction, tmp_path / "face")
    write_web(toy_reconstruction, tmp_path / "face")
    return tmp_path / "face"


def load(content: bytes) -> Any:
    return GLTF2.load_from_bytes(content)


def attribute(gltf: Any, name: str) -> np.ndarray:
    kinds = {5122: "<i2", 5123: "<u2"}
    accessor = gltf.accessors[getattr(gltf.meshes[0].primitives[0].attributes, name)]
    view = gltf.bufferViews[accessor.bufferView]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[accessor.type]
    assert view.byteStride % 4 == 0
    assert view.byteOffset % 4 == 0
    blob = gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    rows = np.frombuffer(blob, kinds[accessor.componentType]).reshape(accessor.count, view.byteStride // 2)
    return rows[:, :width]


def test_its_vertices_are_those_of_the_photo(toy_reconstruction, folder):
    gltf = load((folder / "face.web.glb").read_bytes())
    (scale,) = set(gltf.nodes[0].scale)
    vertex = attribute(gltf, "_VERTEX")[:, 0]

    np.testing.assert_array_equal(vertex, whole_vertices(toy_reconstruction.face_model))
    expected = toy_reconstruction.vertices[vertex] * METRES
    np.testing.assert_allclose(attribute(gltf, "POSITION") * scale, expected, atol=0.51 * STEP)
    assert gltf.extensionsRequired == ["KHR_mesh_quantization"]


def test_it_is_much_smaller_and_has_the_same_texture(folder):
    whole, small = (load((folder / name).read_bytes()) for name in ("face.glb", "face.web.glb"))
    pictures = []
    for gltf in (whole, small):
        view = gltf.bufferViews[gltf.images[0].bufferView]
        pictures.append(gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength])

    assert pictures[0] == pictures[1]
    assert (folder / "face.web.glb").stat().st_size < 0.25 * (folder / "face.glb").stat().st_size


def test_it_names_the_expression_of_the_photo(folder):
    whole, small = (load((folder / name).read_bytes()) for name in ("face.glb", "face.web.glb"))
    expected = dict(zip(whole.meshes[0].extras["targetNames"], whole.meshes[0].weights))

    assert small.asset.extras["expression"] == pytest.approx(expected)


def test_the_preview_shows_the_photo_around_the_face(folder):
    with Image.open(io.BytesIO((folder / "preview.jpg").read_bytes())) as preview:
        assert preview.format == "JPEG"
        assert 64 < max(preview.size) <= 640


def test_shared_expressions_are_the_morph_targets():
    model = default_face_model()
    content = expression_file(model)
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    at = 4 + length
    assert [each["name"] for each in header["targets"]] == [each.name for each in morph_targets(model)]
    for each, target in zip(header["targets"], morph_targets(model)):
        count = each["count"]
        vertices = np.frombuffer(content, "<u2", count, at)
        offsets = np.frombuffer(content, "<i2", 3 * count, at + 2 * count).reshape(count, 3) * header["step"]
        dense = np.zeros_like(WholeHead.of(model).vertices(model.mean_shape))
        dense[target.vertices] = target.offsets * METRES
        found = np.zeros_like(dense)
        found[vertices] = offsets
        np.testing.assert_allclose(found, dense, atol=0.51 * STEP)
        at += 8 * count
    assert at == len(content)
