"""A photo studio in Cycles, the path tracer of Blender: skin that light enters, hair, any light.

The world has the camera's axes, in decimetres: x to the right of the picture, y up, z toward the camera.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing on the terminal from here on: Blender reports each picture, and that it looked for numpy 1."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        for number, file in enumerate(kept, 1):
            os.dup2(file, number)
            os.close(file)
        os.close(nowhere)


try:
    with _silence():
        import bpy
except ModuleNotFoundError as error:
    raise SystemExit("bpy: not installed; checkpoints/README.md says how (pip install --no-deps bpy==5.0.1)") from error

SIZE = 224  # pixels a side
SCATTERING = (0.037, 0.014, 0.007)
"""Decimetres that red, green and blue light travel in skin (Jensen et al., 2001)."""


@dataclass(frozen=True)
class Skin:
    """A head's surface at its V vertices."""

    vertices: np.ndarray  # (V, 3)
    albedo: np.ndarray  # (V, 3) linear
    gloss: np.ndarray  # (V, 3) specular level (0.5 is glass), roughness, share of light that enters
    relief: np.ndarray  # (V,) heights of wrinkles, decimetres
    detail: int  # number of the picture of fine detail


@dataclass(frozen=True)
class Piece:
    """Something worn: N vertices in a grid, with a ragged border and streaks."""

    vertices: np.ndarray  # (N, 3)
    triangles: np.ndarray  # (T, 3)
    strand: np.ndarray  # (N, 3) decimetres inside the border, texture coordinates across and along strands
    albedo: np.ndarray  # (N, 3) linear
    look: tuple[float, float, float, float]  # opacity, contrast, raggedness and half width of the border in decimetres
    roughness: float


@dataclass(frozen=True)
class Lens:
    """A pinhole camera that looks down -z."""

    place: tuple[float, float, float]  # decimetres
    focal: float  # pixels
    column: float  # principal point, the centre of the first pixel is 0
    row: float


class Studio:
    """Takes pictures of heads of one mesh."""

    def __init__(
        self,
        triangles: np.ndarray,
        uv: np.ndarray,
        details: Sequence[np.ndarray],
        grain: np.ndarray,
        samples: int,
        threads: int,
    ) -> None:
        """`uv` (T, 3, 2) are the corners' places in the pictures `details` (S, S, 2): pigment's factor and height.

        `grain` (S, S) is tiled noise of unit variance that strands and cloth are made of.
        """
        with _silence():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = scene = bpy.context.scene
        _set_up(scene, samples, threads)
        self._details = [_picture(f"detail{k}", _with_channels(detail)) for k, detail in enumerate(details)]
        self._grain = _picture("grain", np.repeat(grain[..., None], 3, axis=2))
        self._skin, self._detail = _skin_material()
        self._head = _mesh("head", triangles)
        self._head.uv_layers.new(name="uv").uv.foreach_set("vector", np.ascontiguousarray(uv, np.float32).ravel())
        self._head.materials.append(self._skin)
        scene.collection.objects.link(bpy.data.objects.new("head", self._head))
        self._camera = bpy.data.cameras.new("camera")
        self._camera.sensor_width, self._camera.sensor_fit = 36.0, "HORIZONTAL"
        scene.camera = bpy.data.objects.new("camera", self._camera)
        scene.collection.objects.link(scene.camera)
        self._sky = _sky(scene)

    def photograph(
        self, skin: Skin, pieces: Sequence[Piece], sky: np.ndarray, lens: Lens, seed: int, scratch: Path
    ) -> tuple[np.ndarray, np.ndarray]:
        """Linear radiance (SIZE, SIZE, 3), premultiplied, and coverage (SIZE, SIZE) of a head under a sky.

        The sky is (H, 2 H, 3) linear, as `sky_directions` has it. Cycles writes its picture to the file `scratch`.
        """
        _place(self._head, skin.vertices)
        _colour(self._head, "albedo", skin.albedo)
        _vector(self._head, "gloss", skin.gloss)
        _number(self._head, "relief", skin.relief)
        self._detail.image = self._details[skin.detail]
        self._sky.image = _picture("sky", sky)
        self._camera.lens = lens.focal * 36 / SIZE
        self._camera.shift_x = (SIZE / 2 - 0.5 - lens.column) / SIZE
        self._camera.shift_y = (lens.row - SIZE / 2 + 0.5) / SIZE
        self._camera.clip_start, self._camera.clip_end = 0.1, 1000.0
        self._scene.camera.location = lens.place
        worn = [self._dress(piece) for piece in pieces]
        self._scene.cycles.seed = seed
        self._scene.render.filepath = str(scratch)
        with _silence():
            bpy.ops.render.render(write_still=True)
        pixels = _read(scratch)
        for thing in worn:
            mesh = thing.data
            materials = list(mesh.materials)
            bpy.data.objects.remove(thing)
            bpy.data.meshes.remove(mesh)
            for material in materials:
                bpy.data.materials.remove(material)
        bpy.data.images.remove(self._sky.image)
        return pixels[..., :3], pixels[..., 3]

    def _dress(self, piece: Piece) -> bpy.types.Object:
        mesh = _mesh("worn", piece.triangles)
        _place(mesh, piece.vertices)
        _colour(mesh, "albedo", piece.albedo)
        _vector(mesh, "strand", piece.strand)
        mesh.materials.append(_strand_material(piece, self._grain))
        thing = bpy.data.objects.new("worn", mesh)
        self._scene.collection.objects.link(thing)
        return thing


def sky_directions(rows: int) -> np.ndarray:
    """The directions (rows, 2 rows, 3) of the pixels of a picture of the surroundings, row 0 at the bottom."""
    azimuth = -((np.arange(2 * rows) + 0.5) / (2 * rows) - 0.5) * 2 * np.pi
    up = ((np.arange(rows) + 0.5) / rows - 0.5)[:, None] * np.pi
    flat = np.cos(up)
    return np.stack(np.broadcast_arrays(flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(up)), axis=-1)


def _set_up(scene: bpy.types.Scene, samples: int, threads: int) -> None:
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = SIZE
    scene.render.film_transparent = True
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.image_settings.color_depth = "32"
    cycles = scene.cycles
    cycles.samples, cycles.use_denoising, cycles.denoiser = samples, True, "OPENIMAGEDENOISE"
    cycles.denoising_prefilter, cycles.denoising_quality = "NONE", "BALANCED"
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transparent_max_bounces, cycles.caustics_reflective, cycles.caustics_refractive = 8, False, False
    cycles.sample_clamp_indirect = 4.0
    scene.render.use_persistent_data = False


def _mesh(name: str, triangles: np.ndarray) -> bpy.types.Mesh:
    """A smooth mesh of triangles, its vertices still at the origin."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(int(triangles.max()) + 1)
    mesh.loops.add(triangles.size)
    mesh.polygons.add(len(triangles))
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(triangles, np.int32).ravel())
    mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(triangles), bool))
    return mesh


def _place(mesh: bpy.types.Mesh, vertices: np.ndarray) -> None:
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices[: len(mesh.vertices)], np.float32).ravel())
    mesh.update()


def _attribute(mesh: bpy.types.Mesh, name: str, kind: str) -> bpy.types.Attribute:
    return mesh.attributes.get(name) or mesh.attributes.new(name, kind, "POINT")


def _colour(mesh: bpy.types.Mesh, name: str, values: np.ndarray) -> None:
    rgba = np.ones((len(mesh.vertices), 4), np.float32)
    rgba[:, :3] = values[: len(rgba)]
    _attribute(mesh, name, "FLOAT_COLOR").data.foreach_set("color", rgba.ravel())


def _vector(mesh: bpy.types.Mesh, name: str, values: np.ndarray) -> None:
    values = np.ascontiguousarray(values[: len(mesh.vertices)], np.float32)
    _attribute(mesh, name, "FLOAT_VECTOR").data.foreach_set("vector", values.ravel())


def _number(mesh: bpy.types.Mesh, name: str, values: np.ndarray) -> None:
    _attribute(mesh, name, "FLOAT").data.foreach_set("value", np.ascontiguousarray(values, np.float32))


def _with_channels(detail: np.ndarray) -> np.ndarray:
    return np.concatenate([detail, np.zeros((*detail.shape[:2], 1))], axis=2)


def _picture(name: str, values: np.ndarray) -> bpy.types.Image:
    """A linear picture of values (H, W, 3), row 0 at the bottom."""
    high, wide = values.shape[:2]
    image = bpy.data.images.new(name, wide, high, alpha=False, float_buffer=True, is_data=True)
    rgba = np.ones((high, wide, 4), np.float32)
    rgba[..., :3] = values
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    return image


def _read(path: Path) -> np.ndarray:
    """(SIZE, SIZE, 4) of the picture that Cycles wrote, row 0 at the top."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    pixels = np.empty(SIZE * SIZE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIZE, SIZE, 4)[::-1]


class _Graph:
    """The nodes of one material or world."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def node(self, kind: str, **inputs: object) -> bpy.types.Node:
        """A node, with its inputs by name: values, or sockets of other nodes."""
        node = self.tree.nodes.new(kind)
        for name, value in inputs.items():
            self.give(node.inputs[name.replace("_", " ")], value)
        return node

    def give(self, socket: bpy.types.NodeSocket, value: object) -> None:
        """A value to an input, or a link."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, *values: object) -> bpy.types.NodeSocket:
        """The result of an operation on numbers."""
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        for socket, value in zip(node.inputs, values):
            self.give(socket, value)
        return node.outputs[0]

    def scaled(self, vector: object, factor: object) -> bpy.types.NodeSocket:
        """A vector or colour times a number."""
        node = self.tree.nodes.new("ShaderNodeVectorMath")
        node.operation = "SCALE"
        self.give(node.inputs[0], vector)
        self.give(node.inputs["Scale"], factor)
        return node.outputs[0]

    def attribute(self, name: str) -> bpy.types.Node:
        """An attribute of the mesh."""
        node = self.tree.nodes.new("ShaderNodeAttribute")
        node.attribute_name = name
        return node

    def parts(self, vector: bpy.types.NodeSocket) -> Sequence[bpy.types.NodeSocket]:
        """The three numbers of a vector."""
        return self.node("ShaderNodeSeparateXYZ", Vector=vector).outputs


def _material(name: str) -> tuple[bpy.types.Material, _Graph, bpy.types.NodeSocket]:
    """An empty material, its graph and the socket of its surface."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.node_tree.nodes.clear()
    graph = _Graph(material.node_tree)
    return material, graph, graph.node("ShaderNodeOutputMaterial").inputs["Surface"]


def _skin_material() -> tuple[bpy.types.Material, bpy.types.Node]:
    """Skin, eyes and mouth by the head's attributes; the node of its fine detail."""
    material, graph, surface = _material("skin")
    detail = graph.node("ShaderNodeTexImage")
    pigment, height, _ = graph.parts(detail.outputs["Color"])
    level, roughness, entering = graph.parts(graph.attribute("gloss").outputs["Vector"])
    heights = graph.math("ADD", graph.attribute("relief").outputs["Fac"], graph.math("MULTIPLY", height, entering))
    bump = graph.node("ShaderNodeBump", Height=heights, Distance=1.0, Strength=1.0)
    albedo = graph.attribute("albedo").outputs["Color"]
    shade = graph.math("ADD", 1.0, graph.math("MULTIPLY", graph.math("SUBTRACT", pigment, 1.0), entering))
    bsdf = graph.node(
        "ShaderNodeBsdfPrincipled",
        Base_Color=graph.scaled(albedo, shade),
        Roughness=roughness,
        Specular_IOR_Level=level,
        Subsurface_Weight=entering,
        Subsurface_Radius=SCATTERING,
        Subsurface_Scale=1.0,
        Normal=bump.outputs[0],
    )
    bsdf.subsurface_method = "BURLEY"  # a random walk takes twice the time
    graph.give(surface, bsdf.outputs[0])
    return material, detail


def _strand_material(piece: Piece, grain: bpy.types.Image) -> bpy.types.Material:
    """Strands or cloth: streaks that shade, and a border as ragged as they are."""
    opacity, contrast, ragged, soft = piece.look
    material, graph, surface = _material("worn")
    edge, across, along = graph.parts(graph.attribute("strand").outputs["Vector"])

    def noise(scale: float) -> bpy.types.NodeSocket:
        steps = (graph.math("MULTIPLY", part, scale / grain.size[0]) for part in (across, along))
        place = graph.node("ShaderNodeCombineXYZ", **dict(zip("XY", steps, strict=True)))
        texture = graph.node("ShaderNodeTexImage", Vector=place.outputs[0])
        texture.image = grain
        return texture.outputs["Color"]

    fine, coarse = noise(1.0), noise(0.37)
    both = graph.math("MULTIPLY", graph.math("ADD", fine, coarse), 0.5 * ragged)
    inside = graph.math("DIVIDE", graph.math("ADD", edge, both), soft)
    covered = graph.math("ADD", 0.5, graph.math("MULTIPLY", inside, 0.5))
    clamped = graph.math("MINIMUM", graph.math("MAXIMUM", covered, 0.0), 1.0)
    streaks = graph.math("ADD", graph.math("MULTIPLY", fine, 0.7), graph.math("MULTIPLY", coarse, 0.5))
    shade = graph.math("MAXIMUM", graph.math("ADD", 1.0, graph.math("MULTIPLY", streaks, contrast)), 0.05)
    bsdf = graph.node(
        "ShaderNodeBsdfPrincipled",
        Base_Color=graph.scaled(graph.attribute("albedo").outputs["Color"], shade),
        Roughness=piece.roughness,
        Specular_IOR_Level=graph.math("MULTIPLY", 0.35, shade),
        Alpha=graph.math("MULTIPLY", clamped, opacity),
    )
    graph.give(surface, bsdf.outputs[0])
    return material


def _sky(scene: bpy.types.Scene) -> bpy.types.Node:
    """The world's light: the node of its picture."""
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    scene.world = world
    graph = _Graph(world.node_tree)
    world.node_tree.nodes.clear()
    picture = graph.node("ShaderNodeTexEnvironment")
    background = graph.node("ShaderNodeBackground", Color=picture.outputs["Color"], Strength=1.0)
    graph.give(graph.node("ShaderNodeOutputWorld").inputs["Surface"], background.outputs[0])
    world.cycles.sampling_method = "MANUAL"
    world.cycles.sample_map_resolution = 256
    return picture
