"""From masks of hair to the hair itself: fitted, made a mesh, coloured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.hair.evidence import EARS, Evidence
from deep3d.hair.fit import fit_fields
from deep3d.hair.grid import MIDDLE, POINTS
from deep3d.hair.hats import HAT, with_whole_hat
from deep3d.hair.head import Head
from deep3d.hair.mask import HairMask
from deep3d.hair.model import HairModel, hair_model
from deep3d.hair.shell import heights, shell_mesh
from deep3d.hair.shown import Shown, colours_of
from deep3d.hair.texture import shell_image
from deep3d.mesh import Mesh
from deep3d.runtime.cores import one_blas_thread

BALD, LIKELY = 0.03, 0.5
"""Area of hair in the photo over that of skin, below which a head has none; of the mask, from where it counts: what is
faintly hair all over is stubble."""
LITTLE = 0.12  # the same, up to which hair is doubted: it may be light, shade or leaves round a shaved head
ONE_SIDED, TURNED = 0.25, 0.3
"""Of hair on one side, what is on the other at least, unless the head is turned by more than this sine."""
FAINT, SURE, SURE_SHARE = 0.3, 0.72, 0.1  # of the mask: as large a share of what is faintly hair is surely hair
LOPSIDED = 0.05
"""Of little hair that hangs below the ears on one side so much is on the other at least, or it is something beside
short hair."""
CLEAR = 0.02  # opacity below which nobody sees a triangle
_WITHIN = np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0], [0, 1, 1], [1, 0, 1], [2 / 3, 2 / 3, 2 / 3]]) / 2


@dataclass(frozen=True, eq=False)
class Sight:
    """A head as one photo shows it."""

    photo: np.ndarray  # (H, W, 3) uint8
    mask: HairMask
    vertices: np.ndarray  # (V, 3) model space, decimetres
    photo_matrix: np.ndarray  # (3, 4) homogeneous, from `vertices` to photo pixels


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
def make_hair(sights: Sequence[Sight], face_model: FaceModel) -> Hair | None:
    """The hair of a head over the vertices of the first of its sights.

    Where that does not show the hair the next one counts, and so on; those that show other hair than it are left out.
    None for a bald head, and for a face model that the hair model does not know.
    """
    model = hair_model(face_model)
    if model is None:
        return None
    first = _evidence(sights[0], face_model, model)
    if first is None:
        return None
    found = [(sight, _evidence(sight, face_model, model)) for sight in sights[1:]]
    usual = model.mean[:POINTS]
    others = [(sight, other) for sight, other in found if other is not None and first.agrees(other, usual)]
    used = [(sights[0], first), *others]
    fields = fit_fields([evidence for _, evidence in used], model)
    mesh = shell_mesh(fields, first.head, model.ears)
    if mesh is None:
        return None
    thickness = heights(fields, model.ears)[:, None]
    shown = [
        Shown.of(sight.photo, seen.mask, seen.head, seen.head.skin + thickness * seen.head.directions)
        for sight, seen in used
    ]
    return Hair(mesh, shell_image(shown, fields))


def _evidence(sight: Sight, face_model: FaceModel, model: HairModel) -> Evidence | None:
    """What a sight says of the hair, a hat included, without what is no hair; None if it shows a bald head."""
    mask = sight.mask
    mask = replace(mask, hair=np.where(mask.hat > HAT, np.maximum(mask.hair, mask.hat), mask.hair))
    if min((mask.hair > LIKELY).sum(), mask.hair.sum()) < BALD * mask.skin.sum():
        return None
    head = Head.of(sight.vertices, sight.photo_matrix, face_model, mask, model)
    if _shaved(mask, head):
        return None
    mask = with_whole_hat(_evened(mask, head), colours_of(sight.photo, mask), _row(head, EARS))
    return Evidence.of(mask, head)


def _shaved(mask: HairMask, head: Head) -> bool:
    """Whether the little hair in a mask is something else on a shaved head: it is on one side, or nowhere sure."""
    if mask.hair.sum() > LITTLE * mask.skin.sum():
        return False
    left, right = _sides(mask.hair, head)
    one_sided = min(left, right) < ONE_SIDED * max(left, right) and _facing(head)
    return one_sided or bool((mask.hair > SURE).sum() <= SURE_SHARE * (mask.hair > FAINT).sum())


def _evened(mask: HairMask, head: Head) -> HairMask:
    """The mask without what hangs beside a face on one side alone: posts and curtains of the hair's colour do."""
    below = _row(head, EARS)
    left, right = _sides(mask.hair[below:], head)
    more = max(left, right)
    if not _facing(head) or min(left, right) > LOPSIDED * more or more > LITTLE * mask.skin.sum():
        return mask
    hair, middle = mask.hair.copy(), _column(head)
    side = slice(None, middle) if left > right else slice(middle, None)
    hair[below:, side] = 0
    return replace(mask, hair=hair)


def _sides(hair: np.ndarray, head: Head) -> tuple[float, float]:
    """The areas of hair (h, w) on the left and on the right of the middle of the head."""
    areas, middle = hair.sum(axis=0), _column(head)
    return float(areas[:middle].sum()), float(areas[middle:].sum())


def _facing(head: Head) -> bool:
    """Whether both sides of a head show."""
    return bool(abs(head.view(MIDDLE[None])[0, 0]) < TURNED)


def _column(head: Head) -> int:
    """The column of a mask at the middle of the head, from 0 even if that lies farther left."""
    return max(round(float(head.to_mask(MIDDLE[None])[0][0, 0])), 0)


def _row(head: Head, height: float) -> int:
    """The row of a mask at a height of the head's middle, from 0."""
    return max(round(float(head.to_mask(np.array([[MIDDLE[0], height, MIDDLE[2]]]))[0][0, 1])), 0)
