"""From a mask of hair to the hair itself: fitted, made a mesh, coloured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.hair.fit import fit_fields
from deep3d.hair.grid import MIDDLE
from deep3d.hair.head import Head
from deep3d.hair.mask import HairMask
from deep3d.hair.model import hair_model
from deep3d.hair.shell import heights, shell_mesh
from deep3d.hair.texture import shell_image
from deep3d.mesh import Mesh
from deep3d.runtime.cores import one_blas_thread

BALD = 0.03  # area of hair in the photo over that of skin, below which a head has none
LITTLE = 0.12  # the same, up to which hair is doubted: it may be light, shade or leaves round a shaved head
ONE_SIDED, TURNED = 0.25, 0.3
"""Of hair on one side, what is on the other at least, unless the head is turned by more than this sine."""
FAINT, SURE, SURE_SHARE = 0.3, 0.72, 0.1  # of the mask: as large a share of what is faintly hair is surely hair
HAT = 0.5  # of the mask, from where it surely is one: hats become shells in their own colours
CLEAR = 0.02  # opacity below which nobody sees a triangle
_WITHIN = np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0], [0, 1, 1], [1, 0, 1], [2 / 3, 2 / 3, 2 / 3]]) / 2


@dataclass(frozen=True, eq=False)
class Hair:
    """Hair over a head, and how it looks."""

    mesh: Mesh  # closed; vertices in model space, decimetres
    image: np.ndarray  # (S, S, 4) uint8 sRGB and opacity, row 0 at v = 1

    @property
    def seen(self) -> np.ndarray:
        """(T,) bool: the triangles of which anything is seen."""
        return self._opacity.max(axis=1) >= CLEAR

    @cached_property
    def _opacity(self) -> np.ndarray:
        """(T, 7) in [0, 1]: at the corners of each triangle, between them, and in the middle."""
        places = _WITHIN @ self.mesh.uv[self.mesh.uv_triangles]
        size = len(self.image)
        columns, rows = (places[..., 0] * size).astype(int), ((1 - places[..., 1]) * size).astype(int)
        return self.image[rows.clip(0, size - 1), columns.clip(0, size - 1), 3] / np.float32(255)


@one_blas_thread
def make_hair(
    photo: np.ndarray, mask: HairMask, vertices: np.ndarray, photo_matrix: np.ndarray, face_model: FaceModel
) -> Hair | None:
    """The hair of a head with vertices (V, 3) in an (H, W, 3) uint8 photo, into which (3, 4) `photo_matrix` takes it.

    None for a bald head, and for a face model that the hair model does not know.
    """
    model = hair_model(face_model)
    mask = replace(mask, hair=np.where(mask.hat > HAT, np.maximum(mask.hair, mask.hat), mask.hair))
    if model is None or mask.hair.sum() < BALD * mask.skin.sum():
        return None
    head = Head.of(vertices, photo_matrix, face_model, mask, model)
    if _shaved(mask, head):
        return None
    fields = fit_fields(mask, head, model)
    mesh = shell_mesh(fields, head, model.ears)
    if mesh is None:
        return None
    outer = head.skin + heights(fields, model.ears)[:, None] * head.directions
    return Hair(mesh, shell_image(photo, mask, fields, head, outer))


def _shaved(mask: HairMask, head: Head) -> bool:
    """Whether the little hair in a mask is something else on a shaved head: it is on one side, or nowhere sure."""
    areas = mask.hair.sum(axis=0)
    if areas.sum() > LITTLE * mask.skin.sum():
        return False
    middle = int(np.clip(head.to_mask(MIDDLE[None])[0][0, 0], 0, len(areas)))
    less, more = sorted((float(areas[:middle].sum()), float(areas[middle:].sum())))
    one_sided = less < ONE_SIDED * more and abs(head.view(MIDDLE[None])[0, 0]) < TURNED
    return one_sided or bool((mask.hair > SURE).sum() <= SURE_SHARE * (mask.hair > FAINT).sum())
