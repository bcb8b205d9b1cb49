"""face.glb: glTF 2.0 (Khronos, ISO/IEC 12113) in one binary file, metres, with texture and morph targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.export.gltf.file import METRES, GltfFile
from deep3d.export.gltf.morph_targets import MorphTarget, all_targets, base_shape, weights
from deep3d.export.gltf.rig import add_rig
from deep3d.export.hair import add_hair
from deep3d.export.images import albedo_image, jpeg, png
from deep3d.face_model import FaceModel
from deep3d.fitting.named_expressions import expression_weights
from deep3d.reconstruction import Reconstruction
from deep3d.whole_head import WholeHead

_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071
_UNLIT = "KHR_materials_unlit"  # viewers without it apply their own light, and still show the face


def write_glb(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face.glb and albedo.png into a folder."""
    (folder / "face.glb").write_bytes(glb(reconstruction))
    albedo = albedo_image(reconstruction.face_model, reconstruction.albedo, len(reconstruction.texture))
    painted = WholeHead.of(reconstruction.face_model).painted(albedo, reconstruction.part_colours, lit=False)
    (folder / "albedo.png").write_bytes(png(painted))


def whole_vertices(face_model: FaceModel) -> np.ndarray:
    """(N,) the whole head's vertex of each vertex of face.glb, ascending: those on seams of the texture are doubled."""
    return face_model.derived(shared_parts).vertex


def glb(reconstruction: Reconstruction) -> bytes:
    """The bytes of face.glb.

    The base mesh holds identity and corrective expressions; the targets added by the file's weights make it the face
    of the photo. The targets are sparse: only the vertices that they move are stored.
    """
    face_model = reconstruction.face_model
    shared, head = face_model.derived(shared_parts), WholeHead.of(face_model)
    target_weights = weights(shared.targets, expression_weights(reconstruction))
    base = base_shape(reconstruction.whole_mesh.vertices, shared.targets, target_weights)
    normals = head.normals(base)

    file = shared.file.copy()
    mesh = shared.mesh(file, base, normals, target_weights)
    content = document(mesh, file.view(jpeg(reconstruction.texture)))
    add_rig(file, content, face_model, reconstruction.neutral_vertices, shared.vertex)
    if reconstruction.hair is not None:
        add_hair(file, content, reconstruction.hair)
    return file.pack(content)


def document(mesh: dict[str, Any], image: int) -> dict[str, Any]:
    """The document for one mesh and its texture, whose JPEG is in the buffer view with that number."""
    return {
        "asset": {"version": "2.0", "generator": "deep3d"},
        "extensionsUsed": [_UNLIT],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "face", "mesh": 0}],
        "meshes": [mesh],
        "materials": [
            {
                "name": "face",
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0,
                    "roughnessFactor": 1,
                },
                "extensions": {_UNLIT: {}},
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [
            {
                "magFilter": _LINEAR,
                "minFilter": _LINEAR_MIPMAP_LINEAR,
                "wrapS": _CLAMP_TO_EDGE,
                "wrapT": _CLAMP_TO_EDGE,
            }
        ],
        "images": [{"bufferView": image, "mimeType": "image/jpeg"}],
    }


@dataclass(frozen=True)
class SharedParts:
    """The beginning of the files of all faces of a model: UVs, triangles and morph targets."""

    file: GltfFile
    primitive: dict[str, Any]
    targets: tuple[MorphTarget, ...]
    vertex: np.ndarray  # (N,) the whole head's vertex of each vertex of the file, ascending

    def mesh(self, file: GltfFile, base: np.ndarray, normals: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
        """A mesh with vertices (W, 3) in decimetres, their normals (W, 3) and the weights (M,) of its targets."""
        attributes = {
            **self.primitive["attributes"],
            "POSITION": file.positions(base[self.vertex] * METRES),
            "NORMAL": file.attribute(normals[self.vertex]),
        }
        mesh: dict[str, Any] = {"name": "face", "primitives": [{**self.primitive, "attributes": attributes}]}
        if self.targets:
            names = [target.name for target in self.targets]
            mesh |= {"weights": weights.tolist(), "extras": {"targetNames": names}}
        return mesh


def shared_parts(face_model: FaceModel) -> SharedParts:
    """glTF has one index for vertex and UV, so the file has their distinct pairs: vertices on UV seams are doubled."""
    head = WholeHead.of(face_model)
    pairs = head.triangles.astype(np.int64) * len(head.uv) + head.uv_triangles
    distinct, triangles = np.unique(pairs, return_inverse=True)
    vertex, uv = np.divmod(distinct, len(head.uv))
    targets = all_targets(face_model)
    file = GltfFile()
    primitive: dict[str, Any] = {
        "attributes": {"TEXCOORD_0": file.attribute(head.uv[uv] * [1, -1] + [0, 1])},  # v runs down
        "indices": file.indices(triangles.reshape(-1, 3)),
        "material": 0,
    }
    if targets:
        primitive["targets"] = [{"POSITION": file.target(target, vertex)} for target in targets]
    return SharedParts(file, primitive, targets, vertex)
