"""A GLB file under construction: one buffer, and accessors into it (glTF 2.0; Khronos, ISO/IEC 12113)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np

from deep3d.export.gltf.morph_targets import MorphTarget

METRES = 0.1  # in a decimetre

_COMPONENT_TYPES = {"<f4": 5126, "|u1": 5121, "<u2": 5123, "<u4": 5125}
_VERTEX_BUFFER, _INDEX_BUFFER = 34962, 34963


@dataclass
class GltfFile:
    """A GLB file under construction: pieces of its one buffer, and their accessors."""

    _pieces: list[bytes] = field(default_factory=list)  # of each view, padded to four bytes
    _views: list[dict[str, Any]] = field(default_factory=list)
    _accessors: list[dict[str, Any]] = field(default_factory=list)

    def copy(self) -> GltfFile:
        """A copy, to be continued separately."""
        return GltfFile([*self._pieces], [*self._views], [*self._accessors])

    def view(self, piece: bytes, target: int | None = None) -> int:
        """Append bytes to the buffer, padded to four; the number of their buffer view."""
        view = {"buffer": 0, "byteLength": len(piece)}
        self._views.append(view if target is None else {**view, "target": target})
        self._pieces.append(_padded(piece))
        return len(self._views) - 1

    def attribute(self, values: np.ndarray) -> int:
        """An accessor of (N, 2), (N, 3) or (N, 4) values for each vertex."""
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

    def replace_indices(self, number: int, triangles: np.ndarray) -> None:
        """Put (T, 3) triangles in place of those of an accessor."""
        kind = _index_type(triangles.max())
        piece, view = triangles.astype(kind).tobytes(), self._accessors[number]["bufferView"]
        self._pieces[view] = _padded(piece)
        self._views[view] = {**self._views[view], "byteLength": len(piece)}
        changed = {"componentType": _COMPONENT_TYPES[kind], "count": triangles.size}
        self._accessors[number] = {**self._accessors[number], **changed}

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
        *starts, length = accumulate((len(piece) for piece in self._pieces), initial=0)
        document = {
            **document,
            "accessors": self._accessors,
            "bufferViews": [{**view, "byteOffset": start} for view, start in zip(self._views, starts)],
            "buffers": [{"byteLength": length}],
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + length)
        chunk = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", length, b"BIN\0")
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


def _padded(piece: bytes) -> bytes:
    """Bytes with zeros up to a multiple of four."""
    return piece + bytes(-len(piece) % 4)


def _bounds(values: np.ndarray) -> dict[str, list[float]]:
    return {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


def _index_type(largest: int) -> str:
    return "<u2" if largest < 0xFFFF else "<u4"  # 0xFFFF itself restarts a primitive
