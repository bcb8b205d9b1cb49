"""The bones of face.glb, driven as in three.js and in Blender."""

# pyright: reportOptionalMemberAccess=false

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from deep3d.export.gltf.face import glb, whole_vertices, write_glb
from deep3d.export.gltf.web import write_web
from deep3d.export.material import material_glb, small_material_glb
from deep3d.hair import Hair
from deep3d.material import separate
from deep3d.mesh import Mesh
from deep3d.whole_head import WholeHead
from deep3d.whole_head.rig import JOINTS, rig

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "serving" / "viewer" / "node_modules"


@pytest.fixture(scope="module")
def face(toy_reconstruction, with_texture, model):
    """A face of the open model with a ball for hair."""
    given = with_texture(toy_reconstruction, np.full((1024, 1024, 3), 128, np.uint8), face_model=model)
    ball = trimesh.creation.icosphere(subdivisions=1, radius=0.3)
    vertices = (ball.vertices + [0, 1.2, -0.4]).astype(np.float32)
    triangles = ball.faces.astype(np.int32)
    mesh = Mesh(vertices, triangles, np.zeros((len(vertices), 2), np.float32), triangles)
    given.__dict__["hair"] = Hair(mesh, np.full((8, 8, 4), 200, np.uint8))
    return given


@pytest.fixture(scope="module")
def file(face, tmp_path_factory):
    path = tmp_path_factory.mktemp("rig") / "face.glb"
    path.write_bytes(glb(face))
    return path


@pytest.fixture(scope="module")
def node():
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("node", path=path)
    if found is None or not MODULES.is_dir():
        pytest.skip("no node with three.js; `make setup` brings them")
    return found


@pytest.fixture(scope="module")
def driven(file, node):
    command = [node, str(Path(__file__).with_name("drive.mjs")), str(MODULES), str(file)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


@pytest.fixture(scope="module")
def where(model):
    """Rows of the file for some places of the head."""
    vertex = whole_vertices(model)
    middle = model.landmarks(model.mean_shape[None])[0]
    mean = model.mean_shape

    own = np.flatnonzero(vertex < len(mean))

    def near(point):
        return int(own[np.argmin(np.linalg.norm(mean[vertex[own]] - point, axis=1))])

    shoulders = np.flatnonzero((vertex >= len(mean)) & (vertex < len(mean) + len(WholeHead.of(model).parts.light)))
    left = np.flatnonzero(vertex == _front_of_eye(mean, middle[42:48].mean(axis=0)))[0]
    right = np.flatnonzero(vertex == _front_of_eye(mean, middle[36:42].mean(axis=0)))[0]
    return {
        "nose": near(middle[30]),
        "chin": near(middle[8]),
        "shoulder": int(shoulders[-5]),
        "left": left,
        "right": right,
    }


def _front_of_eye(mean, middle):
    ball = np.arange(12346, len(mean))
    return ball[np.argmin(np.linalg.norm(mean[ball] - middle, axis=1))]


def moved(driven, bone):
    return np.linalg.norm(np.array(driven["shown"][bone]["face"]) - driven["shown"]["rest"]["face"], axis=1) * 1000


def test_three_js_finds_the_targets(driven):
    assert len(driven["targets"]) == 52 + 15 and {"tongueOut", "viseme_aa", "jawOpen"} <= set(driven["targets"])


def test_at_rest_bones_change_nothing(driven, face, model):
    base = np.array(driven["shown"]["rest"]["face"]) * 10
    vertex = whole_vertices(model)
    own = vertex < len(model.mean_shape)
    linear = face.vertices - model.expression_offsets(np.clip(face.coefficients.expression, 0, 1))[0]
    assert np.median(np.linalg.norm(base[own] - linear[vertex[own]], axis=1)) < 0.2


def test_the_head_turns_and_takes_its_hair_along_while_the_shoulders_stay(driven, where):
    turned = moved(driven, "Head")
    assert turned[where["nose"]] > 20 and turned[where["shoulder"]] < 0.1
    hair = np.subtract(driven["shown"]["Head"]["hair"], driven["shown"]["rest"]["hair"])
    assert np.linalg.norm(hair) > 0.002
    assert np.allclose(driven["shown"]["rest"]["hair"], [0, 0.12, -0.04], atol=0.05)


def test_the_neck_bends_the_head_too(driven, where):
    bent = moved(driven, "Neck")
    assert bent[where["nose"]] > 20 and bent[where["shoulder"]] < 0.1


def test_the_jaw_moves_the_chin_alone(driven, where):
    opened = moved(driven, "Jaw")
    assert opened[where["chin"]] > 15 and opened[where["nose"]] < 1 and opened[where["shoulder"]] < 0.1
    chin = np.subtract(driven["shown"]["Jaw"]["face"], driven["shown"]["rest"]["face"])[where["chin"]]
    assert chin[1] < -0.01  # down


def test_each_eye_turns_about_its_middle(driven, where):
    for bone, other in (("LeftEye", "RightEye"), ("RightEye", "LeftEye")):
        side = "left" if bone == "LeftEye" else "right"
        assert 2 < moved(driven, bone)[where[side]] < 8
        assert moved(driven, other)[where[side]] == 0
        assert moved(driven, bone)[where["nose"]] == 0


def test_the_tongue_moves_alone(driven):
    size = moved(driven, "tongueOut")
    assert size.max() > 30 and (size > 0.1).mean() < 0.02


def test_weights_are_whole(model):
    found = rig(model)
    assert (found.weights.astype(int).sum(axis=1) == 255).all() and found.joints.max() < len(JOINTS)


def test_joints_follow_the_person(model):
    found = rig(model)
    shift = np.array([0.1, 0.2, -0.1], np.float32)
    assert np.allclose(found.at(model.mean_shape + shift, model.mean_shape) - found.places, shift, atol=1e-5)
    left, right = found.places[4], found.places[5]
    assert left[0] > 0 > right[0] and abs(left[0] + right[0]) < 0.01  # the person's left is on the right


def test_a_model_without_a_jaw_has_no_bones(toy_reconstruction, toy_face_model):
    assert rig(toy_face_model) is None
    assert b'"skins"' not in glb(replace(toy_reconstruction, face_model=toy_face_model))


def test_khronos_validator_finds_nothing_wrong(face, file, node, tmp_path):
    write_glb(face, tmp_path)
    write_web(face, tmp_path)
    material = separate(face, 256)
    (tmp_path / "face_material.glb").write_bytes(material_glb(face, material, face.hair))
    (tmp_path / "face_material.web.glb").write_bytes(small_material_glb(face, material))
    script = (
        f"const v = require({str(MODULES / 'gltf-validator')!r}), fs = require('fs');"
        "Promise.all(process.argv.slice(1).map(f => v.validateBytes(new Uint8Array(fs.readFileSync(f)))))"
        ".then(all => console.log(JSON.stringify(all.map(r => r.issues.messages))))"
    )
    files = [str(file), *(str(tmp_path / f"{name}.glb") for name in ("face.web", "face_material", "face_material.web"))]
    done = subprocess.run([node, "-e", script, *files], capture_output=True, text=True, check=True, timeout=120)
    *others, small = json.loads(done.stdout)
    assert others == [[], [], []]
    # Pages save the bytes of tangents: three.js makes its own.
    assert {message["code"] for message in small} == {"MESH_PRIMITIVE_GENERATED_TANGENT_SPACE"}


def test_blender_bends_the_neck(file):
    bpy = pytest.importorskip("bpy", reason="Blender's package bpy is not installed")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(file))
    (armature,) = [each for each in bpy.data.objects if each.type == "ARMATURE"]
    assert set(JOINTS) <= set(armature.pose.bones.keys())
    skin = next(each for each in bpy.data.objects if each.type == "MESH" and each.vertex_groups)

    def places():
        evaluated = skin.evaluated_get(bpy.context.evaluated_depsgraph_get())
        return np.array([evaluated.matrix_world @ vertex.co for vertex in evaluated.data.vertices])

    rest = places()
    bone = armature.pose.bones["Head"]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler[1] = 0.4
    bpy.context.view_layer.update()
    size = np.linalg.norm(places() - rest, axis=1)
    assert size.max() > 0.02 and (size < 1e-4).sum() > 500
    assert {"tongueOut", "viseme_aa"} <= {key.name for key in skin.data.shape_keys.key_blocks}
