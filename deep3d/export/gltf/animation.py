"""An animated face: glTF 2.0 in one binary file, with tracks for its ARKit-named morph targets and its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deep3d.errors import FaceModelInvalid
from deep3d.export.gltf.face import document, shared_parts
from deep3d.export.images import jpeg
from deep3d.face_model import FaceModel
from deep3d.whole_head import WholeHead


@dataclass(frozen=True)
class Motion:
    """Expressions and rotations of a face at F times."""

    times: np.ndarray  # (F,) seconds, growing
    weights: np.ndarray  # (F, 51) of `morph_targets`, in [0, 1]; the other targets rest
    rotations: np.ndarray  # (F, 3, 3) of the head


def animated_glb(face_model: FaceModel, neutral: np.ndarray, texture: np.ndarray, motion: Motion) -> bytes:
    """The file of a face with vertices (V, 3) in decimetres at rest and its whole head's texture (h, w, 3) uint8.

    Axes, unit and names are those of face.glb. The head turns about the model's origin and does not move away.

    Raises: FaceModelInvalid for a face model without ARKit's expressions.
    """
    shared = face_model.derived(shared_parts)
    if not shared.targets:
        raise FaceModelInvalid(
            f"{face_model.info.name}: no expressions with ARKit's names to animate; use another model"
        )
    file = shared.file.copy()
    head = WholeHead.of(face_model)
    base = head.vertices(neutral)
    targets = np.pad(motion.weights, ((0, 0), (0, len(shared.targets) - motion.weights.shape[1])))
    mesh = shared.mesh(file, base, head.normals(base), targets[0])
    content = document(mesh, file.view(jpeg(texture)))
    times = file.series(motion.times)
    samplers = [file.series(targets.reshape(-1)), file.series(quaternions(motion.rotations))]
    content["nodes"][0]["rotation"] = quaternions(motion.rotations[:1])[0].tolist()
    content["animations"] = [
        {
            "name": "face",
            "samplers": [{"input": times, "output": each, "interpolation": "LINEAR"} for each in samplers],
            "channels": [_channel(number, path) for number, path in enumerate(("weights", "rotation"))],
        }
    ]
    return file.pack(content)


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """(F, 4) unit quaternions x, y, z, w of rotation matrices (F, 3, 3), with signs that avoid jumps."""
    from scipy.spatial.transform import Rotation  # takes a while

    found = Rotation.from_matrix(rotations).as_quat()
    flips = np.cumprod(np.where((found[1:] * found[:-1]).sum(axis=1) < 0, -1, 1))
    return found * np.concatenate([[1], flips])[:, None]


def _channel(sampler: int, path: str) -> dict[str, Any]:
    return {"sampler": sampler, "target": {"node": 0, "path": path}}
