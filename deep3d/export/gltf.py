"""face.glb: glTF 2.0 (Khronos, ISO/IEC 12113) in one binary file, metres, with texture and morph targets."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.export.hair import add_hair
from deep3d.export.images import albedo_image, jpeg, png
from deep3d.export.morph_targets import MorphTarget, all_targets, base_shape, weights
from deep3d.export.skin import add_rig
from deep3d.face_model import FaceModel
from deep3d.fitting.named_expressions import expression_weights
from deep3d.reconstruction import Reconstruction
from deep3d.whole_head import WholeHead

METRES = 0.1  # in a decimetre

_COMPONENT_TYPES = {"<f4": 5126, "|u1": 5121, "<u2": 5123, "<u4": 5125}
_VERTEX_BUFFER, _INDEX_BUFFER = 34962, 34963
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071
_UNLIT = "KHR_materials_unlit"  # viewers without it apply their own light, and still show the face


def write_glb(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face.glb and albedo.png into a folder."""
    (folder / "face.glb").write_bytes(glb(reconstruction))
    albedo = albedo_image(reconstruction.face_model, reconstruction.albedo, len(reconstruction.texture))
    (folder / "albedo.png").write_bytes(png(WholeHead.of(reconstruction.face_model).painted(albedo, lit=False)))


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


@dataclass
class GltfFile:
    """A GLB file under construction: pieces of its one buffer, and their accessors."""

    _pieces: list[bytes] = field(default_factory=list)
    _length: int = 0
    _views: list[dict[str, Any]] = field(default_factory=list)
    _accessors: list[dict[str, Any]] = field(default_factory=list)

    def copy(self) -> GltfFile:
        """A copy, to be continued separately."""
        return GltfFile([*self._pieces], self._length, [*self._views], [*self._accessors])

    def view(self, piece: bytes, target: int | None = None) -> int:
        """Append bytes to the buffer, padded to four; the number of their buffer view."""
        view = {"buffer": 0, "byteOffset": self._length, "byteLength": len(piece)}
        self._views.append(view if target is None else {**view, "target": target})
        padded = piece + bytes(-len(piece) % 4)
        self._pieces.append(padded)
        self._length += len(padded)
        return len(self._views) - 1

    def attribute(self, values: np.ndarray) -> int:
        """An accessor of (N, 2) or (N, 3) values for each vertex."""
        values = values.astype("<f4")
        return self._accessor(values.shape, "<f4", {"bufferView": self.view(values.tobytes(), _VERTEX_BUFFER)})

    def positions(self, values: np.ndarray) -> int:
        """An accessor of (N, 3) positions, with the bounds that glTF requires."""
        number = self.attribute(values)
        self._accessors[number] |= _bounds(values.astype("<f4"))
        return number

    def bytes_of_four(self, values: np.ndarray, normalized: bool = False) -> int:
        """An accessor of (N, 4) uint8 for each vertex: numbers of joints, or shares of 255."""
        number = self._accessor(values.shape, "|u1", {"bufferView": self.view(values.tobytes(), _VERTEX_BUFFER)})
        self._accessors[number] |= {"normalized": True} if normalized else {}
        return number

    def matrices(self, values: np.ndarray) -> int:
        """An accessor of matrices (N, 4, 4), which glTF stores by columns."""
        columns = values.transpose(0, 2, 1).astype("<f4")
        return self._accessor((len(values), 16), "<f4", {"bufferView": self.view(columns.tobytes())})

    def series(self, values: np.ndarray) -> int:
        """An accessor of animation data: times or weights (N,), rotations (N, 4)."""
        values = values.astype("<f4")
        number = self._accessor(values.shape, "<f4", {"bufferView": self.view(values.tobytes())})
        if values.ndim == 1:
            self._accessors[number] |= {"min": [float(values.min())], "max": [float(values.max())]}
        return number

    def indices(self, triangles: np.ndarray) -> int:
        """An accessor of (T, 3) triangles."""
        kind = _index_type(triangles.max())
        view = self.view(triangles.astype(kind).tobytes(), _INDEX_BUFFER)
        return self._accessor((triangles.size,), kind, {"bufferView": view})

    def target(self, target: MorphTarget, vertex: np.ndarray) -> int:
        """A sparse accessor of a morph target's offsets at `vertex` (N,), ascending numbers of the head's vertices."""
        place = np.searchsorted(target.vertices, vertex)
        moving = np.flatnonzero(np.append(target.vertices, -1)[place] == vertex)
        offsets = (target.offsets * METRES).astype("<f4")[place[moving]]
        if len(moving) == 0:  # glTF requires at least one
            moving, offsets = np.zeros(1, np.int64), np.zeros((1, 3), "<f4")
        kind = _index_type(moving.max())
        sparse = {
            "count": len(moving),
            "indices": {
                "bufferView": self.view(moving.astype(kind).tobytes()),
                "componentType": _COMPONENT_TYPES[kind],
            },
            "values": {"bufferView": self.view(offsets.tobytes())},
        }
        still = np.zeros((int(len(moving) < len(vertex)), 3), "<f4")
        return self._accessor((len(vertex), 3), "<f4", {"sparse": sparse, **_bounds(np.concatenate([offsets, still]))})

    def pack(self, document: dict[str, Any]) -> bytes:
        """The whole file: a header, the JSON chunk and the binary chunk, each padded to four bytes."""
        document = {
            **document,
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": self._length}],
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + self._length)
        chunk = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", self._length, b"BIN\0")
        return b"".join([header, chunk, *self._pieces])

    def _accessor(self, shape: tuple[int, ...], kind: str, content: dict[str, Any]) -> int:
        width = shape[1] if len(shape) == 2 else 1
        accessor = {
            "componentType": _COMPONENT_TYPES[kind],
            "count": shape[0],
            "type": {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}[width],
        }
        self._accessors.append({**accessor, **content})
        return len(self._accessors) - 1


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


def _bounds(values: np.ndarray) -> dict[str, list[float]]:
    return {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


def _index_type(largest: int) -> str:
    return "<u2" if largest < 0xFFFF else "<u4"  # 0xFFFF itself restarts a primitive
