"""A face in another light, from any side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deep3d.camera import Pose, rotation_matrix
from deep3d.face_model import FaceModel
from deep3d.material.environments import gathered
from deep3d.material.eyes import EyeTexels
from deep3d.material.gloss import Gloss
from deep3d.material.light import even_sphere, gloss_transfer
from deep3d.material.observed import coded, linear
from deep3d.material.texels import over_texels
from deep3d.material.transfer import Transfer, compute_transfer
from deep3d.texture import Atlas
from deep3d.texture.atlas import vertex_texels
from deep3d.texture.hair import scalp
from deep3d.texture.skin_colour import eyeballs
from deep3d.whole_head import WholeHead

if TYPE_CHECKING:
    from deep3d.material.material import Material
    from deep3d.reconstruction import Reconstruction

DISTANCE = 8.0  # decimetres from which gloss is seen
PAPER = 0.9  # what white paper that faces the camera comes to


@dataclass(frozen=True, eq=False)
class RelightableHead:
    """All that a picture of a head in another light needs."""

    model: FaceModel
    vertices: np.ndarray  # (V, 3) head space, decimetres
    transfer: Transfer
    gloss: Gloss
    base_color: np.ndarray  # (S, S, 3) uint8 sRGB, row 0 at v = 1

    @classmethod
    def of(cls, face: Reconstruction, material: Material) -> RelightableHead:
        """A face and what `separate` gave for it."""
        gloss = material.separated.gloss
        return cls(face.face_model, face.vertices, material.transfer, gloss, material.maps.base_color)

    @classmethod
    def of_maps(
        cls,
        model: FaceModel,
        vertices: np.ndarray,
        base_color: np.ndarray,
        roughness: np.ndarray,
        specular: np.ndarray,
    ) -> RelightableHead:
        """Vertices (V, 3) in decimetres and maps (S, S, 3), (S, S) and (S, S) uint8, as they lie in files."""
        transfer = compute_transfer(vertices, WholeHead.of(model).model_normals(vertices), model.triangles)
        column, row = model.derived(vertex_texels, len(roughness)).T
        rough, shine = (each[row, column].astype(np.float32) / 255 for each in (roughness, specular))
        return cls(model, vertices, transfer, Gloss(shine * np.float32(0.08), np.maximum(rough, 0.05)), base_color)

    def texture(self, panorama: np.ndarray, pose: Pose) -> np.ndarray:
        """The texture (S, S, 3) uint8 of the head turned to a pose in a light that stays where it is.

        `panorama` (H, W, 3) is as `environments.environment` gives it. It is made so bright that white paper that faces
        the camera would come to 0.9.
        """
        turn = turned(pose)
        transfer = self.transfer
        light = self._light(panorama, turn)
        irradiance = transfer.lit @ light
        view = np.array([0, 0, DISTANCE]) @ turn - self.vertices
        view = (view / np.linalg.norm(view, axis=1, keepdims=True)).astype(np.float32)
        gloss = gloss_transfer(transfer, view, self.gloss) @ light
        gloss[self.model.derived(eyeballs)] = 0  # they are mirrors
        both = np.hstack([irradiance, gloss]) * (transfer.solid_angle / np.pi)
        size = len(self.base_color)
        texels = over_texels(Atlas.of(self.model, size), self.model, both)
        eyes = EyeTexels.of(self.model, size)
        mirrored = eyes.mirrored(view, transfer, panorama, turn) * paper_exposure(panorama)
        texels.reshape(size * size, -1)[eyes.places, 3:] += mirrored
        albedo = linear(self.base_color / np.float32(255))
        return np.rint(coded(albedo * texels[..., :3] + texels[..., 3:]) * 255).astype(np.uint8)

    def light_on_scalp(self, panorama: np.ndarray, pose: Pose) -> np.ndarray:
        """(3,) irradiance over pi where hair grows, mean, in the light of `texture`."""
        rows = np.flatnonzero(self.model.derived(scalp) > 0.5)
        transfer = self.transfer.at(rows)
        light = self._light(panorama, turned(pose))
        return (transfer.lit @ light).mean(axis=0) * (transfer.solid_angle / np.pi)

    def _light(self, panorama: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """(D, 3) radiance from the transfer's directions."""
        return gathered(panorama, self.transfer.directions @ turn.T) * paper_exposure(panorama)


def turned(pose: Pose) -> np.ndarray:
    """The rotation (3, 3) of a pose: first by yaw, then by pitch, then by roll, as `draw_view` turns a head."""
    steps = (Pose(0, 0, pose.roll), Pose(0, pose.pitch, 0), Pose(pose.yaw, 0, 0))
    return np.linalg.multi_dot([rotation_matrix(each.to_rotation()[None])[0] for each in steps])


def paper_exposure(panorama: np.ndarray) -> float:
    """The factor that brings white paper that faces the camera to 0.9 in a panorama (H, W, 3)."""
    sphere = even_sphere()
    paper = gathered(panorama, sphere).mean(axis=1) @ np.maximum(sphere[:, 2], 0) * 4 / len(sphere)
    return PAPER / max(float(paper), 1e-4)
