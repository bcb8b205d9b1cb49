"""A face again, from its face.json and its photo: what was too slow to make at once can be made later."""

from __future__ import annotations

import json

import numpy as np

from deep3d.alignment import AlignedCrop, crop_at
from deep3d.camera import Camera, rotation_matrix
from deep3d.coefficients import FIELDS, FaceCoefficients
from deep3d.detection.detector import Detection
from deep3d.errors import CoefficientsInvalid
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction


def reopen_face(
    face_json: bytes, photo: Photo, face_model: FaceModel, displacement: np.ndarray | None = None
) -> Reconstruction:
    """The face that face.json describes, in its photo as it was read, without confidence and hair.

    `displacement` (V, 3) is the content of displacement.npy, millimetres, where the face has one.

    Raises: CoefficientsInvalid if it is damaged, or of another face model or photo.
    """
    try:
        described = json.loads(face_json)
        if described["face_model"]["sha256"] != face_model.info.sha256:
            raise CoefficientsInvalid("face.json: a face of another face model; reconstruct it with this one")
        told = described["photo"]
        if turn := (told.get("turn", 0) - photo.turn) % 360:
            photo = photo.turned(turn)
        if (told["height"], told["width"]) != photo.pixels.shape[:2]:
            raise CoefficientsInvalid("face.json: a face of another photo; give the photo that it was made from")
        coefficients = FaceCoefficients(
            **{name: np.array([described["coefficients"][name]], np.float32) for name in FIELDS}
        )
        found, window = described["detection"], described["camera"]["crop"]
        detection = Detection(np.array(found["box"]), found["score"], np.array(found["landmarks5"]))
        crop = crop_at(photo.pixels, detection.landmarks, window["scale"], window["left"], window["up"])
        camera = _camera(np.array(described["camera"]["matrix"], float), crop, coefficients)
        checkpoint = described["checkpoint"] or {"name": None, "sha256": None}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise CoefficientsInvalid("face.json: damaged; reconstruct the photo again") from error
    return Reconstruction(
        photo=photo,
        detection=detection,
        crop=crop,
        coefficients=coefficients,
        face_model=face_model,
        camera=camera,
        checkpoint_name=checkpoint["name"],
        checkpoint_sha256=checkpoint["sha256"],
        timings_ms=dict(described["timings_ms"]),
        displacement=_decimetres(displacement, described.get("displacement"), face_model),
    )


def _decimetres(displacement: np.ndarray | None, name: str | None, face_model: FaceModel) -> np.ndarray | None:
    """Displacements (V, 3) of millimetres in decimetres; `name` is the file that face.json says they are in.

    Raises: CoefficientsInvalid if they are missing, of another face model, or not finite.
    """
    if displacement is None:
        if name is not None:
            raise CoefficientsInvalid(f"{name}: missing; the shape in face.json needs it, reconstruct the photo again")
        return None
    if displacement.shape != face_model.mean_shape.shape or not np.isfinite(displacement).all():
        raise CoefficientsInvalid("displacement.npy: damaged or of another face model; reconstruct the photo again")
    return (displacement / MILLIMETRES).astype(np.float32)


def _camera(matrix: np.ndarray, crop: AlignedCrop, coefficients: FaceCoefficients) -> Camera:
    """The camera of the crop, by the (3, 4) matrix from millimetres to photo pixels: the inverse of `photo_matrix`."""
    turn = rotation_matrix(coefficients.rotation.astype(np.float64))[0]
    x, y, z = coefficients.translation[0].astype(np.float64)
    inner = np.linalg.inv(crop.matrix) @ matrix
    inner[:, :3] = inner[:, :3] * MILLIMETRES @ turn.T
    inner[:, 3] -= inner[:, :3] @ [x, y, z]
    return Camera(float(inner[0, 0]), -float(inner[0, 2]), -float(inner[1, 2]), float(inner[2, 3]))
