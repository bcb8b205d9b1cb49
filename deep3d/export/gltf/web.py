"""What a browser needs to show a face quickly: a small mesh and a preview of the photo; shared parts are separate.

face.web.glb is face.glb with positions and UVs in 16 bits (KHR_mesh_quantization), without normals, which a viewer
computes anyway, and with the photo's expression in its vertices. The expressions are the same for every face of a
model, and most of face.glb: `expression_file` has them once for all. `_VERTEX` numbers the whole head's vertices.
"""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deep3d.export.gltf.face import whole_vertices
from deep3d.export.gltf.file import METRES
from deep3d.export.gltf.morph_targets import morph_targets
from deep3d.face_model import FaceModel
from deep3d.reconstruction import Reconstruction

STEP = 4e-5  # metres per step: a tenth of the best accuracy of a fit
PREVIEW_PIXELS = 640
PREVIEW_ROOM = 2.1  # side of the preview in sizes of the face box: includes hair and neck
PREVIEW_QUALITY = 80

_QUANTIZATION = "KHR_mesh_quantization"
_SHORT, _UNSIGNED_SHORT = 5122, 5123
_VERTEX_BUFFER = 34962


def write_web(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face.web.glb and preview.jpg beside the face.glb in a folder."""
    content = (folder / "face.glb").read_bytes()
    (folder / "face.web.glb").write_bytes(smaller(content, reconstruction))
    (folder / "preview.jpg").write_bytes(preview(reconstruction))


def expression_file(face_model: FaceModel) -> bytes:
    """The offsets of each expression of a model, for all its faces.

    Little-endian: the length of a JSON header in four bytes, the header {"step" in metres, "model" by its SHA-256,
    "targets": [{"name", "count"}]} padded to four bytes, then for each target `count` numbers of vertices (uint16) and
    as many offsets (int16 x 3) in steps.
    """
    names, blocks = [], []
    for target in morph_targets(face_model):
        offsets = np.rint(target.offsets * (METRES / STEP)).astype("<i2")
        moving = offsets.any(axis=1)
        names.append({"name": target.name, "count": int(moving.sum())})
        blocks += [target.vertices[moving].astype("<u2").tobytes(), offsets[moving].tobytes()]
    header = json.dumps({"step": STEP, "model": face_model.info.sha256, "targets": names}).encode()
    header += b" " * (-len(header) % 4)
    return b"".join([struct.pack("<I", len(header)), header, *blocks])


def preview(reconstruction: Reconstruction) -> bytes:
    """A JPEG of the photo around the face, clipped to the photo, with at most 640 pixels on the longer side."""
    pixels = reconstruction.photo.pixels
    left, top, right, bottom = reconstruction.detection.box
    half = PREVIEW_ROOM * max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    columns, rows = (slice(max(0, round(middle - half)), round(middle + half)) for middle in (x, y))
    part = Image.fromarray(np.ascontiguousarray(pixels[rows, columns]))
    part.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS), reducing_gap=2.0)
    file = io.BytesIO()
    part.save(file, "JPEG", quality=PREVIEW_QUALITY, progressive=True)
    return file.getvalue()


def smaller(content: bytes, reconstruction: Reconstruction) -> bytes:
    """face.glb with fewer bytes; its first mesh is the face, others (hair) stay beside it."""
    document, buffer = _unpacked(content)
    file = _Pieces(document, buffer)
    weights = _weights(document["meshes"][0])
    for number, mesh in enumerate(document["meshes"]):
        mesh.pop("weights", None)
        mesh.pop("extras", None)
        for primitive in mesh["primitives"]:
            primitive.pop("targets", None)
            primitive["attributes"] = file.attributes(primitive["attributes"], reconstruction if number == 0 else None)
            primitive["indices"] = file.kept(primitive["indices"])
    # Browsers move the face by its expressions alone; and a skin would not know the scale of its node.
    document.pop("skins", None)
    document["nodes"] = [_still(node) for node in document["nodes"] if "mesh" in node]
    document["scenes"][0]["nodes"] = [*range(len(document["nodes"]))]
    for image in document.get("images", []):
        image["bufferView"] = file.view(file.bytes_of(image["bufferView"]))
    used = {*document.get("extensionsUsed", []), _QUANTIZATION}
    document |= {"extensionsUsed": sorted(used), "extensionsRequired": [_QUANTIZATION]}
    document["asset"]["extras"] = {
        **document["asset"].get("extras", {}),
        "model": reconstruction.face_model.info.sha256,
        "expression": weights,
    }
    return file.packed(document)


def _still(node: dict[str, Any]) -> dict[str, Any]:
    """A node with its mesh in steps, and without joints."""
    return {"name": node["name"], "mesh": node["mesh"], "scale": [STEP] * 3}


def _weights(mesh: dict[str, Any]) -> dict[str, float]:
    """The photo's expression: weights by the names of expressions."""
    return dict(zip(mesh.get("extras", {}).get("targetNames", []), mesh.get("weights", [])))


class _Pieces:
    """The accessors and views of a new file, taken from those of an old one."""

    def __init__(self, document: dict[str, Any], buffer: bytes) -> None:
        self._old, self._buffer = {key: document[key] for key in ("accessors", "bufferViews")}, buffer
        self._accessors: list[dict[str, Any]] = []
        self._views: list[dict[str, Any]] = []
        self._blocks: list[bytes] = []
        self._done: dict[tuple[tuple[str, int], ...], dict[str, int]] = {}

    def attributes(self, old: dict[str, int], face: Reconstruction | None) -> dict[str, int]:
        """Quantized positions and UVs; for the face, with the photo's expression, and vertex numbers.

        Primitives that shared them go on doing so.
        """
        key = tuple(sorted(old.items()))
        if key not in self._done:
            self._done[key] = self._quantized(old, face)
        return self._done[key]

    def _quantized(self, old: dict[str, int], face: Reconstruction | None) -> dict[str, int]:
        positions, uv = self._floats(old["POSITION"]), self._floats(old["TEXCOORD_0"])
        new = {}
        if face is not None:
            vertex = whole_vertices(face.face_model)
            positions = face.whole_mesh.vertices[vertex] * METRES
            new["_VERTEX"] = self._accessor(vertex[:, None], "<u2", _UNSIGNED_SHORT, "SCALAR")
        steps = np.rint(positions / STEP)
        new["POSITION"] = self._accessor(steps, "<i2", _SHORT, "VEC3")
        self._accessors[new["POSITION"]] |= {"min": steps.min(axis=0).tolist(), "max": steps.max(axis=0).tolist()}
        # Coordinates outside [0, 1] repeat the edge, as the sampler says.
        shares = np.rint(np.clip(uv, 0, 1) * 0xFFFF)
        new["TEXCOORD_0"] = self._accessor(shares, "<u2", _UNSIGNED_SHORT, "VEC2", normalized=True)
        return new

    def kept(self, number: int) -> int:
        """An accessor as it was."""
        old = self._old["accessors"][number]
        target = self._old["bufferViews"][old["bufferView"]].get("target")
        view = self.view(self.bytes_of(old["bufferView"]), **({"target": target} if target else {}))
        self._accessors.append({**old, "bufferView": view})
        return len(self._accessors) - 1

    def view(self, block: bytes, **properties: int) -> int:
        """Append bytes; the number of their view."""
        offset = sum(len(each) for each in self._blocks)
        self._blocks.append(block + bytes(-len(block) % 4))
        self._views.append({"buffer": 0, "byteOffset": offset, "byteLength": len(block), **properties})
        return len(self._views) - 1

    def bytes_of(self, view: int) -> bytes:
        """What an old view shows."""
        old = self._old["bufferViews"][view]
        start = old.get("byteOffset", 0)
        return self._buffer[start : start + old["byteLength"]]

    def packed(self, document: dict[str, Any]) -> bytes:
        """The file of the new pieces."""
        buffer = b"".join(self._blocks)
        document |= {"accessors": self._accessors, "bufferViews": self._views}
        document["buffers"] = [{"byteLength": len(buffer)}]
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(buffer)
        header = struct.pack("<4sIII4s", b"glTF", 2, length, len(text), b"JSON")
        return b"".join([header, text, struct.pack("<I4s", len(buffer), b"BIN\0"), buffer])

    def _floats(self, number: int) -> np.ndarray:
        old = self._old["accessors"][number]
        return np.frombuffer(self.bytes_of(old["bufferView"]), "<f4").reshape(old["count"], -1)

    def _accessor(self, values: np.ndarray, kind: str, component: int, shape: str, normalized: bool = False) -> int:
        """An accessor of (N, k) whole numbers for each vertex, each vertex at a multiple of four bytes."""
        count, width = values.shape
        padded = np.zeros((count, width + width % 2), kind)
        padded[:, :width] = values
        view = self.view(padded.tobytes(), target=_VERTEX_BUFFER, byteStride=padded.strides[0])
        accessor = {"bufferView": view, "componentType": component, "count": count, "type": shape}
        self._accessors.append({**accessor, **({"normalized": True} if normalized else {})})
        return len(self._accessors) - 1


def _unpacked(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON and the buffer of a GLB file."""
    (length,) = struct.unpack_from("<I", content, 12)
    return json.loads(content[20 : 20 + length]), content[28 + length :]
