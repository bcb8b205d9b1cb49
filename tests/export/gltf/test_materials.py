"""face_material.glb as three.js and Blender read it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deep3d.export.material import material_glb
from deep3d.face_model import default_face_model
from deep3d.material import separate

MODULES = Path(__file__).parents[3] / "serving" / "viewer" / "node_modules"


@pytest.fixture(scope="module")
def file(toy_reconstruction, tmp_path_factory):
    """The toy's photo with the shipped face model, which has eyes and a mouth, without the light of the photo."""
    face = replace(toy_reconstruction, face_model=default_face_model(), merged_texture=None)
    path = tmp_path_factory.mktemp("material") / "face_material.glb"
    path.write_bytes(material_glb(face, separate(face, 256), None))
    return path


@pytest.fixture(scope="module")
def loaded(file):
    """What three.js makes of the materials, by name."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    node = shutil.which("node", path=path)
    if node is None or not MODULES.is_dir():
        pytest.skip("no node with three.js; `make setup` brings them")
    command = [node, str(Path(__file__).with_name("materials.mjs")), str(MODULES), str(file)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)


def test_three_js_lights_the_skin_by_all_its_maps(loaded):
    skin = loaded["skin"]
    assert skin["type"] == "MeshPhysicalMaterial"
    assert skin["metalness"] == 0
    assert skin["tangents"]
    maps = {name: space for name, size, space in skin["maps"] if size > 100}
    coloured = {name for name, space in maps.items() if space == "srgb"}
    assert coloured == {"map"}
    assert set(maps) - coloured >= {"normalMap", "roughnessMap", "aoMap", "specularIntensityMap"}


def test_three_js_sees_wet_eyes_and_a_wet_mouth(loaded):
    assert loaded["eyes"]["clearcoat"] == 1
    assert loaded["mouth"]["roughness"] < 0.3


def _textures(material, socket):
    """Names of the kinds of nodes from which an input of a material's shader comes."""
    (shader,) = [node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
    open_links, kinds = list(shader.inputs[socket].links), set()
    while open_links:
        node = open_links.pop().from_node
        kinds.add(node.type)
        open_links += [link for each in node.inputs for link in each.links]
    return kinds


@pytest.fixture(scope="module")
def scene(file):
    """Blender with the file and nothing else."""
    bpy = pytest.importorskip("bpy", reason="Blender's package bpy is not installed")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(file))
    return bpy.context.scene


def test_blender_connects_all_maps_of_the_skin(scene):
    materials = {slot.material.name: slot.material for each in scene.objects for slot in each.material_slots}
    assert {"skin", "mouth", "eyes"} <= set(materials)
    skin = materials["skin"]
    for socket in ("Base Color", "Roughness", "Specular IOR Level"):
        assert "TEX_IMAGE" in _textures(skin, socket)
    assert {"TEX_IMAGE", "NORMAL_MAP"} <= _textures(skin, "Normal")
    (eyes,) = [node for node in materials["eyes"].node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
    assert eyes.inputs["Coat Weight"].default_value == 1


def test_blender_traces_light_from_the_side_on_the_side(scene, tmp_path):
    bpy = pytest.importorskip("bpy", reason="Blender's package bpy is not installed")
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 8, False
    scene.render.resolution_x = scene.render.resolution_y = 48
    scene.render.filepath = str(tmp_path / "side.png")
    scene.render.image_settings.file_format = "PNG"
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy = 4
    sun.rotation_euler = (0, np.radians(75), 0)  # from the right of the picture
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0, -0.8, 0), (np.radians(90), 0, 0)
    for each in (sun, camera):
        scene.collection.objects.link(each)
    scene.camera = camera
    bpy.ops.render.render(write_still=True)
    picture = np.asarray(Image.open(tmp_path / "side.png").convert("L"), float)
    left, right = picture[16:36, 14:22].mean(), picture[16:36, 26:34].mean()
    assert right > 60
    assert right > 2 * left
