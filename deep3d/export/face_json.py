"""face.json: everything about a face that is not a picture or a mesh, as face.schema.json describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.coefficients import FIELDS
from deep3d.mesh import MILLIMETRES
from deep3d.reconstruction import Reconstruction

SCHEMA = "deep3d.face/2"
DISPLACEMENT_FILE = "displacement.npy"
SCHEMA_FILE = Path(__file__).with_name("face.schema.json")


def write_json(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face.json into a folder, one line per top-level field, and displacement.npy if the face has displacements.

    displacement.npy is (V, 3) float32 millimetres, to be added to the vertices that the coefficients give.
    """
    lines = [
        f"  {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in describe(reconstruction).items()
    ]
    (folder / "face.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    if reconstruction.displacement is not None:
        np.save(folder / DISPLACEMENT_FILE, (MILLIMETRES * reconstruction.displacement).astype(np.float32))


LANDMARK_LISTS = ("landmarks68", "landmarks68_contour", "landmarks68_mediapipe")
"""The lists of 68 points of a face, as face.json and `Reconstruction` call them."""


def describe(reconstruction: Reconstruction) -> dict[str, Any]:
    """The content of face.json."""
    photo, detection, crop = reconstruction.photo, reconstruction.detection, reconstruction.crop
    coefficients, face_model, pose = reconstruction.coefficients, reconstruction.face_model, reconstruction.pose
    height, width = photo.pixels.shape[:2]
    to_decimetres = np.array([1 / MILLIMETRES] * 3 + [1])
    return {
        "schema": SCHEMA,
        "photo": {"name": photo.name, "width": width, "height": height, "turn": photo.turn, "sha256": photo.sha256},
        "detection": {
            "box": _numbers(detection.box, 3),
            "score": round(float(detection.score), 6),
            "landmarks5": _numbers(detection.landmarks, 3),
        },
        "pose": {"yaw": round(pose.yaw, 4), "pitch": round(pose.pitch, 4), "roll": round(pose.roll, 4)},
        **{name: _numbers(getattr(reconstruction, name), 3) for name in LANDMARK_LISTS},
        "landmark_embedding": {
            "triangles": face_model.markup.triangles.tolist(),
            "weights": _numbers(face_model.markup.points.weights, 7),
        },
        "landmark_vertices": face_model.markup.points.nearest.tolist(),
        "camera": {
            "matrix": (reconstruction.photo_matrix * to_decimetres).tolist(),
            "focal_length_px": reconstruction.camera.focal_length_px,
            "crop": {"scale": float(crop.scale), "left": int(crop.left), "up": int(crop.up)},
        },
        "coefficients": {name: _numbers(getattr(coefficients, name)[0], 7) for name in FIELDS},
        "displacement": None if reconstruction.displacement is None else DISPLACEMENT_FILE,
        "expression_names": list(face_model.expression_names),
        "face_model": {name: getattr(face_model.info, name) for name in ("name", "version", "sha256", "licence")},
        "checkpoint": reconstruction.checkpoint_name
        and {"name": reconstruction.checkpoint_name, "sha256": reconstruction.checkpoint_sha256},
        "confidence": reconstruction.confidence
        and {"landmark_error_percent": round(reconstruction.confidence.landmark_error, 3)},
        "shape_error_mm": reconstruction.region_deviation
        and {region: round(millimetres, 2) for region, millimetres in reconstruction.region_deviation.items()},
        "warnings": list(reconstruction.warnings),
        "timings_ms": {step: round(float(time), 2) for step, time in reconstruction.timings_ms.items()},
    }


def _numbers(values: np.ndarray, decimals: int) -> list[Any]:
    return np.round(np.asarray(values, np.float64), decimals).tolist()
