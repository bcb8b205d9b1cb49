"""Looks of a head from any side: as in its photo, as clay, in its bare skin, as normals, or in another light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deep3d.camera import Pose
from deep3d.drawing.view import WHITE, draw_view
from deep3d.face_model import FaceModel
from deep3d.hair import Hair
from deep3d.material import RelightableHead, environment, separate
from deep3d.material.gloss import Gloss, usual_gloss
from deep3d.material.observed import coded, linear
from deep3d.material.relighting import turned
from deep3d.material.texels import over_texels
from deep3d.material.transfer import compute_transfer
from deep3d.mesh import Mesh
from deep3d.texture import Atlas
from deep3d.whole_head import WholeHead

if TYPE_CHECKING:
    from deep3d.reconstruction import Reconstruction

LOOKS = ("photo", "clay", "skin", "normals", "relit")
STUDIO = "studio"  # the light that clay and skin stand in
CLAY = (213, 198, 183)  # sRGB
CLAY_SPECULAR, CLAY_ROUGHNESS = 0.04, 0.8
PLAIN = 512  # texels a side of looks that have no picture of their own


@dataclass(frozen=True, eq=False)
class DressedHead:
    """A head in one look."""

    mesh: Mesh  # of the whole head, decimetres
    shown: Callable[[Pose], tuple[np.ndarray, Hair | None]]
    """Its texture (S, S, 3) uint8 and its hair when it is turned to a pose; the light stays where it is."""

    def view(self, pose: Pose, size: int = 1024, background: tuple[int, int, int] = WHITE) -> np.ndarray:
        """(size, size, 3) uint8: a picture of it, as `draw_view` frames it."""
        texture, hair = self.shown(pose)
        return draw_view(self.mesh, texture, pose, size, background, hair)


def dressed(face: Reconstruction, look: str = "photo", light: str | Path | np.ndarray = STUDIO) -> DressedHead:
    """A face in one of `LOOKS`; `light`, as `relight` takes it, counts for relit, which takes seconds.

    Raises: ValueError for an unknown look; EnvironmentInvalid.
    """
    model, vertices = face.face_model, face.vertices
    if look == "photo":
        return in_photo(face.whole_mesh, face.texture, face.hair)
    if look == "clay":
        return in_clay(model, vertices)
    if look == "normals":
        return in_normals(model, vertices)
    if look == "skin":
        albedo = Atlas.of(model, PLAIN).paint(255 * np.clip(face.albedo, 0, 1), model.triangles)
        albedo = WholeHead.of(model).painted(albedo, face.part_colours, lit=False)
        return in_skin(model, vertices, albedo, face.hair)
    if look != "relit":
        raise ValueError(f"unknown look {look!r}; choose from {', '.join(LOOKS)}")
    material = separate(face)
    return in_light(RelightableHead.of(face, material), light, face.hair, material.evened)


def in_photo(mesh: Mesh, texture: np.ndarray, hair: Hair | None) -> DressedHead:
    """In the light of its photo, by the mesh of a whole head and its texture (S, S, 3) uint8."""
    return DressedHead(mesh, lambda pose: (texture, hair))


def in_clay(model: FaceModel, vertices: np.ndarray) -> DressedHead:
    """In one colour, in the studio; vertices (V, 3) in decimetres, without hair."""
    count = len(vertices)
    gloss = Gloss(np.full(count, CLAY_SPECULAR, np.float32), np.full(count, CLAY_ROUGHNESS, np.float32))
    return _lit(model, vertices, gloss, np.full((PLAIN, PLAIN, 3), CLAY, np.uint8))


def in_skin(model: FaceModel, vertices: np.ndarray, albedo: np.ndarray, hair: Hair | None) -> DressedHead:
    """In the model's albedo (S, S, 3) uint8 sRGB, in the studio; hair is as in the photo."""
    return _lit(model, vertices, usual_gloss(model), albedo, hair)


def in_normals(model: FaceModel, vertices: np.ndarray) -> DressedHead:
    """Where the surface faces: (n + 1) / 2 in the camera's frame."""
    atlas, whole = Atlas.of(model, PLAIN), WholeHead.of(model)
    normals = whole.model_normals(vertices)

    def shown(pose: Pose) -> tuple[np.ndarray, None]:
        codes = 255 * (over_texels(atlas, model, normals @ turned(pose).T) + 1) / 2
        image = np.rint(np.clip(codes, 0, 255)).astype(np.uint8)
        return whole.filled(image), None

    return DressedHead(whole.mesh(vertices), shown)


def in_light(
    head: RelightableHead,
    light: str | Path | np.ndarray,
    hair: Hair | None = None,
    evened: np.ndarray | None = None,
) -> DressedHead:
    """Without the light of its photo, in another: a preset, a .hdr file, or a panorama (H, W, 3).

    `evened` (3,) takes the linear colours of hair from the photo's to albedo; without it hair is as in the photo.

    Raises: EnvironmentInvalid.
    """
    panorama = light if isinstance(light, np.ndarray) else environment(light)
    whole = WholeHead.of(head.model)
    colours = whole.part_colours(head.base_color)

    def shown(pose: Pose) -> tuple[np.ndarray, Hair | None]:
        texture = whole.painted(head.texture(panorama, pose), colours)
        if hair is None or evened is None:
            return texture, hair
        return texture, _tinted(hair, evened * head.light_on_scalp(panorama, pose))

    return DressedHead(whole.mesh(head.vertices), shown)


def _lit(
    model: FaceModel, vertices: np.ndarray, gloss: Gloss, base_color: np.ndarray, hair: Hair | None = None
) -> DressedHead:
    """In the studio."""
    transfer = compute_transfer(vertices, WholeHead.of(model).model_normals(vertices), model.triangles)
    return in_light(RelightableHead(model, vertices, transfer, gloss, base_color), STUDIO, hair)


def _tinted(hair: Hair, factor: np.ndarray) -> Hair:
    """Hair whose linear colours are multiplied by a factor (3,)."""
    colours = coded(linear(hair.image[..., :3] / np.float32(255)) * factor.astype(np.float32))
    image = np.dstack([np.rint(255 * colours).astype(np.uint8), hair.image[..., 3]])
    return replace(hair, image=image)
