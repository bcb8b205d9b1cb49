"""Several photos of one person: outliers, weights and the merged face.

The measure of agreement is the distance between the predicted identity and albedo of a face and the mean of the others,
divided by the expected distance at the expected landmark error.
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
"""Factor of the expected distance above which a face is an outlier. Of synthetic photos of one person 3% are above, of
those of somebody else a quarter with one other photo and half with seven; of pairs of different real portraits half."""
STRANGER = "The face does not seem to be the same person's as in the other photos. This photo was left out."


_NO_FACE, _STRANGER = "no face was found", "it seems to show another person"


@dataclass(frozen=True, eq=False)
class SamePerson:
    """The result of P photos of one person."""

    faces: tuple[Reconstruction | None, ...]  # P, None where a photo shows no face
    weight: np.ndarray  # (P,) weight of each photo, sum 1: 0 without a face or for somebody else
    strangers: tuple[int, ...]  # numbers of the photos that seem to show somebody else, each reconstructed separately
    left_out: tuple[str, ...] = ()  # sentences with the name of each photo that is left out, and the reason

    @property
    def surest(self) -> Reconstruction:
        """The face of the photo with the largest weight."""
        return next(face for number, face in self._members() if number == self.surest_photo)

    @property
    def surest_photo(self) -> int:
        """The number of the photo with the largest weight."""
        return int(self.weight.argmax())

    @cached_property
    def merged(self) -> Reconstruction:
        """The surest face with the merged texture; its warnings name the photos that are left out."""
        members = self._members()
        textures = [face.unwrapped for _, face in members]
        weight = self.weight[[number for number, _ in members]]
        texture = merge_textures(textures, weight, self.surest.face_model)
        return replace(self.surest, merged_texture=texture, left_out=self.left_out)

    def _members(self) -> list[tuple[int, Reconstruction]]:
        """Number and face of each photo that is used."""
        return [
            (number, face) for number, face in enumerate(self.faces) if face is not None and self.weight[number] > 0
        ]


def who_is_left_out(names: Sequence[str], found: Collection[int], strangers: Collection[int]) -> tuple[str, ...]:
    """Sentences about the photos, by name, without a face among the `found`, or with one of the `strangers`."""
    return tuple(
        left_out(name, _STRANGER if number in strangers else _NO_FACE)
        for number, name in enumerate(names)
        if number in strangers or number not in found
    )


def left_out(name: str, reason: str) -> str:
    """A sentence about a photo that is left out."""
    return f"{name} is left out: {reason}."


def find_strangers(coefficients: FaceCoefficients, expected_error: np.ndarray) -> np.ndarray:
    """(B,) bool, whether a face is an outlier, from regressed coefficients and expected landmark errors (B,).

    The farthest outlier is removed first, and the others are checked again without it. Of two faces that do not
    match, the less sure one is the outlier.
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
    """Weights (B,) of B photos, sum 1: the inverse square of the expected landmark error, 0 for strangers."""
    weight = 1 / np.square(expected_error)
    if strange is not None:
        weight = np.where(strange, 0, weight)
    return weight / weight.sum()


def share_identity(coefficients: FaceCoefficients, weight: np.ndarray) -> FaceCoefficients:
    """The coefficients of B faces with the weighted mean identity and albedo; those without weight keep their own."""
    own = {name: getattr(coefficients, name) for name in ("identity", "albedo")}
    shared = {
        name: np.where(weight[:, None] > 0, (weight @ values).astype(np.float32), values)
        for name, values in own.items()
    }
    return replace(coefficients, **shared)


def _disagreement(row: np.intp, others: np.ndarray, looks: np.ndarray, expected_error: np.ndarray) -> float:
    """Distance of a face from the weighted mean of others, over the expected distance for one person."""
    spread = SPREAD + SPREAD_PER_ERROR * expected_error
    weight = photo_weights(expected_error[others])
    distance = np.linalg.norm(looks[row] - weight @ looks[others])
    return float(distance / np.sqrt(spread[row] ** 2 + np.square(weight * spread[others]).sum()))
