import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image
from pygltflib import GLTF2

from deep3d.export import write_glb
from deep3d.export.gltf.face import glb
from deep3d.export.gltf.morph_targets import APPLE_NAMES, STILL, VISEMES, all_targets, morph_targets
from deep3d.face_model import Components, default_face_model
from deep3d.whole_head import WholeHead

COMPONENTS = {5126: "<f4", 5123: "<u2", 5125: "<u4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}


class Reader:
    """Accessors of a GLB file as the glTF specification describes them."""

    def __init__(self, content: bytes):
        self.gltf: Any = GLTF2.load_from_bytes(content)
        self.blob = self.gltf.binary_blob()

    def view(self, number, kind, count):
        view = self.gltf.bufferViews[number]
        return np.frombuffer(self.blob, kind, count, view.byteOffset)

    def accessor(self, number):
        accessor = self.gltf.accessors[number]
        width = WIDTHS[accessor.type]
        kind = COMPONENTS[accessor.componentType]
        values = np.zeros((accessor.count, width), kind)
        if accessor.bufferView is not None:
            values[:] = self.view(accessor.bufferView, kind, accessor.count * width).reshape(-1, width)
        if accessor.sparse is not None:
            sparse = accessor.sparse
            indices = self.view(sparse.indices.bufferView, COMPONENTS[sparse.indices.componentType], sparse.count)
            indices = indices.astype(int)
            assert (np.diff(indices) > 0).all()
            values[indices] = self.view(sparse.values.bufferView, kind, sparse.count * width).reshape(-1, width)
        if accessor.min:
            assert accessor.min == values.min(axis=0).tolist()
            assert accessor.max == values.max(axis=0).tolist()
        return values

    @property
    def mesh(self):
        return self.gltf.meshes[0]

    @property
    def primitive(self):
        return self.mesh.primitives[0]

    def attribute(self, name):
        return self.accessor(getattr(self.primitive.attributes, name))

    def target(self, name):
        number = self.mesh.extras["targetNames"].index(name)
        return self.accessor(self.primitive.targets[number]["POSITION"])

    @property
    def triangles(self):
        return self.accessor(self.primitive.indices).reshape(-1, 3).astype(int)


@pytest.fixture(scope="module")
def reader(toy_reconstruction):
    return Reader(glb(toy_reconstruction))


def test_base_with_the_weighted_targets_is_the_photos_face_in_metres(reader, toy_reconstruction):
    face = reader.attribute("POSITION").astype(float)
    for name, weight in zip(reader.mesh.extras["targetNames"], reader.mesh.weights):
        face += weight * reader.target(name)
    expected = toy_reconstruction.vertices[toy_reconstruction.face_model.triangles] / 10
    np.testing.assert_allclose(face[reader.triangles], expected, atol=1e-7)


def test_targets_are_apples_shapes_in_order(reader):
    names = reader.mesh.extras["targetNames"]
    assert names == [*APPLE_NAMES, *VISEMES] and len(VISEMES) == 15
    assert len(names) == len(set(names)) == len(reader.primitive.targets) == len(reader.mesh.weights) == 66
    assert {"browInnerUp", "cheekPuff", "eyeBlinkLeft", "jawLeft", "mouthSmileRight"} < set(names)
    assert "tongueOut" not in names  # the toy model has no tongue


def test_the_open_model_has_all_of_arkits_shapes():
    names = [target.name for target in all_targets(default_face_model())]
    assert names == [*APPLE_NAMES, "tongueOut", *VISEMES]


def test_the_tongue_comes_out_between_the_lips():
    model = default_face_model()
    known = {target.name: target for target in all_targets(model)}
    opened = WholeHead.of(model).vertices(model.mean_shape)
    jaw, tongue = known["jawOpen"], known["tongueOut"]
    opened[jaw.vertices] += jaw.offsets
    lips = model.landmarks(opened[None, : len(model.mean_shape)])[0][48:68, 2].max()
    before = opened[tongue.vertices, 2].max()
    opened[tongue.vertices] += tongue.offsets
    assert before < lips < opened[tongue.vertices, 2].max()
    assert np.abs(opened[tongue.vertices, 0]).max() < 0.25


def test_mouth_close_shuts_the_lips_of_an_open_jaw():
    """As ARKit documents it: the lips' closing, independent of the jaw's position."""
    model = default_face_model()
    known = {target.name: target for target in all_targets(model)}
    upper, lower = (model.landmark_vertices[list(row)] for row in ((61, 62, 63), (67, 66, 65)))

    def opening(*names):
        points = model.mean_shape.copy()
        for name in names:
            own = known[name].vertices < len(points)
            points[known[name].vertices[own]] += known[name].offsets[own]
        return points[upper, 1] - points[lower, 1]

    assert opening("jawOpen").min() > 0.3
    assert np.abs(opening("jawOpen", "mouthClose")).max() < 0.04


def test_a_viseme_is_a_mixture_of_arkits_shapes():
    known = {target.name: target for target in all_targets(default_face_model())}
    count = max(target.vertices.max(initial=0) for target in known.values()) + 1

    def dense(name):
        offsets = np.zeros((count, 3))
        offsets[known[name].vertices] = known[name].offsets
        return offsets

    mixed = 0.15 * dense("jawOpen") + 0.7 * dense("mouthPucker") + 0.25 * dense("mouthFunnel")
    assert np.linalg.norm(dense("viseme_U") - mixed, axis=1).max() < 0.0055
    assert len(known["viseme_sil"].vertices) == 0


@pytest.mark.parametrize(
    "apple, parts",
    [
        ("eyeBlinkLeft", ["eyeBlink_L"]),
        ("mouthSmileRight", ["mouthSmile_R"]),
        ("jawLeft", ["jawLeft"]),
        ("mouthRight", ["mouthRight"]),
        ("jawOpen", ["jawOpen"]),
        ("browInnerUp", ["browInnerUp_L", "browInnerUp_R"]),
        ("cheekPuff", ["cheekPuff_L", "cheekPuff_R"]),
    ],
)
def test_a_target_is_the_full_expression(reader, toy_reconstruction, apple, parts):
    model = toy_reconstruction.face_model
    rows = [model.expression_names.index(part) for part in parts]
    offsets = model.expression_basis[rows].sum(axis=0).reshape(-1, 3) / 10
    offsets[np.linalg.norm(offsets, axis=1) <= STILL / 10] = 0
    np.testing.assert_allclose(reader.target(apple)[reader.triangles], offsets[model.triangles], atol=1e-8)


def test_weights_are_the_photos_between_zero_and_one(reader, toy_reconstruction):
    given = dict(zip(toy_reconstruction.face_model.expression_names, toy_reconstruction.coefficients.expression[0]))
    weights = dict(zip(reader.mesh.extras["targetNames"], reader.mesh.weights))
    assert min(given.values()) < 0 and max(given.values()) > 1
    assert weights["jawOpen"] == pytest.approx(np.clip(given["jawOpen"], 0, 1), abs=1e-6)
    assert weights["noseSneerLeft"] == pytest.approx(np.clip(given["noseSneer_L"], 0, 1), abs=1e-6)
    mean = (given["cheekPuff_L"] + given["cheekPuff_R"]) / 2
    assert weights["cheekPuff"] == pytest.approx(np.clip(mean, 0, 1), abs=1e-6)
    assert all(0 <= weight <= 1 for weight in weights.values())


def test_vertices_are_doubled_on_the_seam_alone(reader, toy_reconstruction):
    mesh = toy_reconstruction.mesh
    pairs = set(zip(mesh.triangles.ravel().tolist(), mesh.uv_triangles.ravel().tolist()))
    positions = reader.attribute("POSITION")
    assert len(positions) == len(pairs) == len(mesh.vertices) + 13
    uv = reader.attribute("TEXCOORD_0")[reader.triangles]
    expected = mesh.uv[mesh.uv_triangles]
    np.testing.assert_allclose(uv[..., 0], expected[..., 0], atol=1e-6)
    np.testing.assert_allclose(uv[..., 1], 1 - expected[..., 1], atol=1e-6)  # glTF's v runs down


def test_normals_are_those_of_the_base(reader, toy_reconstruction):
    normals, base = reader.attribute("NORMAL"), reader.attribute("POSITION")
    model = toy_reconstruction.face_model
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    vertices = np.zeros((len(model.mean_shape), 3), np.float32)
    vertices[model.triangles] = base[reader.triangles]
    np.testing.assert_allclose(normals[reader.triangles], model.normals(vertices[None])[0][model.triangles], atol=1e-3)


def test_nothing_is_required_and_the_material_is_unlit(reader):
    assert reader.gltf.extensionsUsed == ["KHR_materials_unlit"]
    assert not reader.gltf.extensionsRequired
    assert reader.gltf.materials[0].extensions == {"KHR_materials_unlit": {}}
    assert reader.primitive.attributes.COLOR_0 is None


def test_texture_is_a_jpeg_of_the_photos_texture(reader, toy_reconstruction):
    image = reader.gltf.images[0]
    assert image.mimeType == "image/jpeg"
    view = reader.gltf.bufferViews[image.bufferView]
    with Image.open(io.BytesIO(reader.blob[view.byteOffset : view.byteOffset + view.byteLength])) as picture:
        assert picture.format == "JPEG"
        difference = np.asarray(picture, float) - toy_reconstruction.texture
    assert np.abs(difference).mean() < 12


def test_a_model_without_arkits_names_has_no_targets(toy_reconstruction, toy_face_model):
    given = replace(toy_reconstruction, face_model=toy_face_model)
    assert morph_targets(toy_face_model) == ()
    reader = Reader(glb(given))
    assert not reader.primitive.targets
    expected = given.vertices[toy_face_model.triangles] / 10
    np.testing.assert_allclose(reader.attribute("POSITION")[reader.triangles], expected, atol=1e-7)


def test_an_expression_that_moves_nothing_still_has_its_target(toy_reconstruction):
    model = toy_reconstruction.face_model
    basis = model.expression_basis.copy()
    basis[model.expression_names.index("jawOpen")] = 0
    reader = Reader(
        glb(replace(toy_reconstruction, face_model=replace(model, expression_components=Components.of(basis))))
    )
    assert len(reader.primitive.targets) == 66
    assert not reader.target("jawOpen").any()


def test_another_reader_opens_it(toy_reconstruction, tmp_path):
    write_glb(toy_reconstruction, tmp_path)
    scene = trimesh.load_scene(tmp_path / "face.glb", process=False)
    mesh: Any = next(iter(scene.geometry.values()))
    assert mesh.visual.kind == "texture"
    assert len(mesh.faces) == len(toy_reconstruction.face_model.triangles)
    # trimesh turns v up again
    expected = toy_reconstruction.mesh.uv[toy_reconstruction.mesh.uv_triangles]
    np.testing.assert_allclose(mesh.visual.uv[mesh.faces], expected, atol=1e-6)


def test_albedo_lies_beside_it(toy_reconstruction, tmp_path):
    write_glb(toy_reconstruction, tmp_path)
    model = toy_reconstruction.face_model
    with Image.open(tmp_path / "albedo.png") as picture:
        image = np.asarray(picture, float)
    assert image.shape == toy_reconstruction.texture.shape
    colours = np.clip(model.albedo(toy_reconstruction.coefficients.albedo)[0], 0, 1) * 255
    centres = model.uv[model.uv_triangles].mean(axis=1)
    texels = image[((1 - centres[:, 1]) * len(image)).astype(int), (centres[:, 0] * len(image)).astype(int)]
    np.testing.assert_allclose(texels, colours[model.triangles].mean(axis=1), atol=3)


def test_file_of_the_open_model_is_small(toy_reconstruction, with_texture):
    open_model = default_face_model()
    texture = toy_reconstruction.texture.repeat(4, axis=0).repeat(4, axis=1)
    given = with_texture(toy_reconstruction, texture, face_model=open_model)
    assert len(morph_targets(open_model)) == 51
    assert len(glb(given)) <= 5_600_000
