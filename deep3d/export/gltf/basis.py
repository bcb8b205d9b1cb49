"""What a browser needs to draw any face of a model from its coefficients: mean, triangles, colours and components.

It is sent once; after that a face is 144 numbers. The bust closes the neck, and follows the vertices that carry it.
Identity is kept to 8 bits for each component, which is off by less than a fifth of a millimetre;
expressions are those of `web.expression_file`, but by coefficient.
"""

from __future__ import annotations

import json
import struct

import numpy as np

from deep3d.export.gltf.file import METRES
from deep3d.export.gltf.morph_targets import STILL, morph_targets
from deep3d.export.gltf.web import STEP
from deep3d.face_model import FaceModel
from deep3d.whole_head import USUAL, WholeHead
from deep3d.whole_head.painting import SKIN
from deep3d.whole_head.parts import Parts


def basis_file(face_model: FaceModel) -> bytes:
    """The file of a model, little-endian.

    The length of a JSON header in four bytes, and the header, padded to four bytes: {"model" by its SHA-256, "step" in
    metres, "vertices": V, "triangles": T, "identity": [metres for one, of each component], "expression": [vertices that
    each component moves], "targets": [{"name" of ARKit's, "components"}]}. Then, without gaps: the mean (V x 3 int16,
    steps); of each expression the numbers of its vertices (uint16), then of each the offsets (int16 x 3, steps); the
    triangles (T x 3 uint16); x of all vertices, then y, then z of each component of identity (int8); the colours of the
    vertices (V x 3 uint8, sRGB).
    """
    count, parts = len(face_model.mean_shape), WholeHead.of(face_model).parts

    def whole(values: np.ndarray) -> np.ndarray:
        """(V, 3) values of the model's vertices (M, 3), and those that the bust takes from them."""
        return np.concatenate([values, parts.bust(values)])

    mean = np.concatenate([face_model.mean_shape, parts.vertices[: len(parts.light)]])
    expressions = [_moved(whole(each)) for each in face_model.expression_basis.reshape(-1, count, 3)]
    identity = np.stack([whole(each) for each in face_model.identity_basis.reshape(-1, count, 3) * METRES])
    scale = np.abs(identity).max(axis=(1, 2)) / 127
    planes = np.rint(identity / scale[:, None, None]).astype(np.int8)
    triangles = np.concatenate([face_model.triangles, parts.triangles[(parts.triangles < len(mean)).all(axis=1)]])
    return b"".join(
        [
            _header(face_model, scale, [len(moving) for moving, _ in expressions], (len(mean), len(triangles))),
            _steps(mean).tobytes(),
            *(moving.astype("<u2").tobytes() for moving, _ in expressions),
            *(offsets.tobytes() for _, offsets in expressions),
            triangles.astype("<u2").tobytes(),
            np.ascontiguousarray(planes.transpose(0, 2, 1)).tobytes(),
            np.rint(255 * np.clip(_albedo(face_model, parts), 0, 1)).astype(np.uint8).tobytes(),
        ]
    )


def _albedo(face_model: FaceModel, parts: Parts) -> np.ndarray:
    """(V, 3) the mean, and that of the bust in the usual shirt."""
    mean = face_model.mean_albedo
    skin = mean[face_model.skin > SKIN].mean(axis=0)
    return np.concatenate([mean, USUAL.over(parts.bust(mean), parts.worn, skin)])


def _header(face_model: FaceModel, scale: np.ndarray, moving: list[int], size: tuple[int, int]) -> bytes:
    """The JSON header and the length before it; `size` are the numbers of vertices and triangles."""
    targets = [
        {"name": target.name, "components": list(target.components)} for target in face_model.derived(morph_targets)
    ]
    header = {
        "model": face_model.info.sha256,
        "step": STEP,
        "vertices": size[0],
        "triangles": size[1],
        "identity": scale.tolist(),
        "expression": moving,
        "targets": targets,
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text


def _moved(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that a component moves, and how far, in steps."""
    moving = np.flatnonzero((offsets * offsets).sum(axis=1) > STILL * STILL)
    return moving, _steps(offsets[moving])


def _steps(decimetres: np.ndarray) -> np.ndarray:
    return np.rint(decimetres * (METRES / STEP)).astype("<i2")
