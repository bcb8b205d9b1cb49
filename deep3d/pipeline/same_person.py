"""Several photos of one person: who fits in, how much each counts, and what they give together.

The measure of agreement is the distance between what the network says of a face's identity and albedo and the mean of
the others, over the distance to expect at the landmark error to expect.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.reconstruction import Reconstruction
from deep3d.texture import merge_textures

SPREAD, SPREAD_PER_ERROR = 1.3, 0.17
"""Distance of identity and albedo from the person's mean, in standard deviations of the model: at no landmark error,
and for each percent of it. Of 240 synthetic photos of 30 people."""
LARGEST_DISAGREEMENT = 1.5
"""Times the distance to expect. Of synthetic photos of one person 3% are beyond, of those of somebody else a quarter
with one other photo and half with seven; of pairs of different real portraits half."""
STRANGER = "The face does not seem to be the same person's as in the other photos. This photo was left out."


_NO_FACE, _STRANGER = "no face was found", "it seems to show another person"


@dataclass(frozen=True, eq=False)
class SamePerson:
    """What P photos of one person gave."""

    faces: tuple[Reconstruction | None, ...]  # P, None where a photo shows no face
    weight: np.ndarray  # (P,) how much each counts, 1 in all: 0 without a face, and where it shows somebody else
    strangers: tuple[int, ...]  # numbers of the photos that seem to show somebody else, each reconstructed by itself
    left_out: tuple[str, ...] = ()  # sentences that name each photo that does not count, and say why

    @property
    def surest(self) -> Reconstruction:
        """The face of the photo that counts most."""
        return next(face for number, face in self._members() if number == self.surest_photo)

    @property
    def surest_photo(self) -> int:
        """The number of the photo that counts most."""
        return int(self.weight.argmax())

    @cached_property
    def merged(self) -> Reconstruction:
        """The surest face with the texture of all that fit in; its warnings name the photos that do not."""
        members = self._members()
        textures = [face.unwrapped for _, face in members]
        weight = self.weight[[number for number, _ in members]]
        texture = merge_textures(textures, weight, self.surest.face_model)
        return replace(self.surest, merged_texture=texture, left_out=self.left_out)

    def _members(self) -> list[tuple[int, Reconstruction]]:
        """Number and face of each photo that counts."""
        return [
            (number, face) for number, face in enumerate(self.faces) if face is not None and self.weight[number] > 0
        ]


def who_is_left_out(names: Sequence[str], found: Collection[int], strangers: Collection[int]) -> tuple[str, ...]:
    """Sentences about the photos, of those names, in which no face is among the `found` or one of the `strangers`."""
    return tuple(
        left_out(name, _STRANGER if number in strangers else _NO_FACE)
        for number, name in enumerate(names)
        if number in strangers or number not in found
    )


def left_out(name: str, reason: str) -> str:
    """A sentence about a photo that does not count."""
    return f"{name} is left out: {reason}."


def find_strangers(coefficients: FaceCoefficients, expected_error: np.ndarray) -> np.ndarray:
    """(B,) whether a face does not fit in with the others, by regressed coefficients and expected landmark errors (B,).

    Of those that do not, the farthest goes first, and the others are looked at again without it. Of two faces that do
    not fit together, the less sure one is the stranger.
    """
    looks = np.concatenate([coefficients.identity, coefficients.albedo], axis=1).astype(np.float64)
    strange = np.zeros(len(looks), bool)
    while (~strange).sum() > 1:
        rows = np.flatnonzero(~strange)
        apart = np.array([_disagreement(row, rows[rows != row], looks, expected_error) for row in rows])
        if apart.max() <= LARGEST_DISAGREEMENT:
            break
        strange[rows[np.lexsort([expected_error[rows], np.round(apart, 9)])[-1]]] = True
    return strange


def photo_weights(expected_error: np.ndarray, strange: np.ndarray | None = None) -> np.ndarray:
    """How much each of B photos counts (B,), 1 in all: the inverse square of the landmark error to expect, 0 for
    strangers.
    """
    weight = 1 / np.square(expected_error)
    if strange is not None:
        weight = np.where(strange, 0, weight)
    return weight / weight.sum()


def share_identity(coefficients: FaceCoefficients, weight: np.ndarray) -> FaceCoefficients:
    """The coefficients of B faces with the weighted mean of identity and albedo; without weight, with their own."""
    own = {name: getattr(coefficients, name) for name in ("identity", "albedo")}
    shared = {
        name: np.where(weight[:, None] > 0, (weight @ values).astype(np.float32), values)
        for name, values in own.items()
    }
    return replace(coefficients, **shared)


def _disagreement(row: np.intp, others: np.ndarray, looks: np.ndarray, expected_error: np.ndarray) -> float:
    """Distance of a face from the weighted mean of others, over what is to expect between faces of one person."""
    spread = SPREAD + SPREAD_PER_ERROR * expected_error
    weight = photo_weights(expected_error[others])
    distance = np.linalg.norm(looks[row] - weight @ looks[others])
    return float(distance / np.sqrt(spread[row] ** 2 + np.square(weight * spread[others]).sum()))
