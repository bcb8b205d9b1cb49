"""The face of a result folder, animated with somebody else's expressions."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.errors import CoefficientsInvalid
from deep3d.face_model import FaceModel
from deep3d.reconstruction import Reconstruction


@dataclass(frozen=True, eq=False)
class Actor:
    """Identity and texture of the face to animate."""

    identity: np.ndarray  # (80,)
    albedo: np.ndarray  # (80,)
    texture: np.ndarray  # (h, w, 3) uint8
    fingerprint: str  # of the files

    @classmethod
    def read(cls, folder: Path, model: FaceModel) -> Actor:
        """From a folder that `deep3d reconstruct` wrote: its face.json and texture.png.

        Raises: CoefficientsInvalid if they are not there, damaged, or of another face model.
        """
        path = folder / "face.json"
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
            identity, albedo = (
                np.array(described["coefficients"][name], np.float32) for name in ("identity", "albedo")
            )
            sha256 = described["face_model"]["sha256"]
            with Image.open(folder / "texture.png") as image:
                texture = np.asarray(image.convert("RGB"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CoefficientsInvalid(
                f"{folder}: no face.json and texture.png of a face there; give a folder that deep3d reconstruct wrote"
            ) from error
        if sha256 != model.info.sha256:
            raise CoefficientsInvalid(f"{path}: a face of another face model; reconstruct it with this one")
        state = path.stat()
        return cls(identity, albedo, texture, f"{path.resolve()} {state.st_size} {state.st_mtime_ns}")

    def acting(self, face: Reconstruction) -> Reconstruction:
        """The actor's face with the expression, the pose and the place of another one."""
        coefficients = replace(face.coefficients, identity=self.identity[None], albedo=self.albedo[None])
        return replace(face, coefficients=coefficients, merged_texture=self.texture)
