"""Several photos of one person: strangers and copies among them, weights and the merged face.

Whether two photos show one person is told by the shape's own uncertainty: how much likelier the two fitted identities
are as one person's than as two people's (two-covariance model; Brümmer and de Villiers, 2010). Directions that a photo
does not show hardly count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from deep3d.coefficients import FaceCoefficients
from deep3d.material import Material, separate_person
from deep3d.pipeline.copies import Copy, find_copies
from deep3d.reconstruction import Reconstruction
from deep3d.texture import merge_textures
from deep3d.whole_head import WholeHead

LEAST_AGREEMENT = 0.0
"""Mean logarithm of that ratio from which photos are grouped: as likely one person as two."""
PEOPLE, DOUBT = 0.24, 2.0
"""Variance of fitted identities over people, and factor on the covariances of fits, which do not know all their errors.
Chosen on eight real people in five pictures each and twelve made-up ones in eight (docs/measurements.md)."""
STRANGER = "The face does not seem to be the same person's as in the other photos. This photo was left out."
COPY = "This photo shows almost the same picture as another one, or its mirror image. It was left out."
NOBODY_TWICE = "No two of these photos seem to show the same person: this is the face of {} alone."
_NO_FACE, _STRANGER = "no face was found", "it seems to show another person"
_COPY, _MIRRORED = "it shows almost the same picture as {}", "it shows the mirror image of {}"


@dataclass(frozen=True, eq=False)
class SamePerson:
    """The result of P photos of one person."""

    faces: tuple[Reconstruction | None, ...]  # P, None where a photo shows no face
    weight: np.ndarray  # (P,) weight of each photo, sum 1: 0 without a face or for somebody else
    strangers: tuple[int, ...]  # numbers of the photos that seem to show somebody else, each reconstructed separately
    left_out: tuple[str, ...] = ()  # sentences with the name of each photo that is left out, and the reason
    copies: tuple[int, ...] = ()  # numbers of the photos that show another one's picture, reconstructed likewise

    @classmethod
    def of(
        cls, names: Sequence[str], faces: Mapping[int, Reconstruction], weight: np.ndarray, chosen: Selection
    ) -> SamePerson:
        """From the face of each photo that shows one, by the photo's number; `weight` (B,) and `chosen` are theirs.

        `names` are those of all P photos.
        """
        rows = [*faces]
        by_photo = np.zeros(len(names))
        by_photo[rows] = weight
        reasons = chosen.reasons([names[row] for row in rows])
        return cls(
            tuple(faces.get(row) for row in range(len(names))),
            by_photo,
            strangers=tuple(row for row, strange in zip(rows, chosen.strange) if strange),
            left_out=who_is_left_out(names, faces, {rows[number]: why for number, why in reasons.items()}),
            copies=tuple(rows[number] for number in sorted(chosen.copies)),
        )

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
        """The surest face with texture and hair of all photos; its warnings name the photos that are left out."""
        members = self._members()
        textures = [face.unwrapped for _, face in members]
        weight = self.weight[[number for number, _ in members]]
        model = self.surest.face_model
        texture = WholeHead.of(model).painted(merge_textures(textures, weight, model), self.surest.part_colours)
        sights = [members[number][1].sight for number in np.argsort(-weight, kind="stable")[1:]]
        others = tuple(sight for sight in sights if sight is not None)
        return replace(self.surest, merged_texture=texture, other_sights=others, left_out=self.left_out)

    @cached_property
    def materials(self) -> tuple[Material | None, ...]:
        """Of each photo: one reflectance for all, and the photo's own light; None for a photo that is left out."""
        members = self._members()
        found = dict(zip([number for number, _ in members], separate_person([face for _, face in members])))
        return tuple(found.get(number) for number in range(len(self.faces)))

    def _members(self) -> list[tuple[int, Reconstruction]]:
        """Number and face of each photo that is used."""
        return [
            (number, face) for number, face in enumerate(self.faces) if face is not None and self.weight[number] > 0
        ]


@dataclass(frozen=True)
class Selection:
    """Which of B faces are one person's, each in a picture of its own."""

    strange: np.ndarray  # (B,) bool
    copies: dict[int, Copy]

    @classmethod
    def of(cls, crops: np.ndarray, sizes: np.ndarray, agreement: np.ndarray, expected_error: np.ndarray) -> Selection:
        """As `find_copies` and, of each picture once, `find_strangers` tell."""
        copies = find_copies(crops, sizes)
        once = np.array([number for number in range(len(crops)) if number not in copies], np.int64)
        strange = np.zeros(len(crops), bool)
        strange[once] = find_strangers(agreement[np.ix_(once, once)], expected_error[once])
        return cls(strange, copies)

    @property
    def left_out(self) -> np.ndarray:
        """(B,) bool."""
        return self.strange | np.isin(np.arange(len(self.strange)), [*self.copies])

    @property
    def warnings(self) -> dict[int, str]:
        """The sentence for each face that is left out."""
        return dict.fromkeys(np.flatnonzero(self.strange).tolist(), STRANGER) | dict.fromkeys(self.copies, COPY)

    def reasons(self, names: Sequence[str]) -> dict[int, str]:
        """Why, for `left_out`; `names` (B,) are those of the photos."""
        strangers = dict.fromkeys(np.flatnonzero(self.strange).tolist(), _STRANGER)
        return strangers | {
            number: (_MIRRORED if each.mirrored else _COPY).format(names[each.of])
            for number, each in self.copies.items()
        }


def who_is_left_out(names: Sequence[str], found: Collection[int], reasons: Mapping[int, str]) -> tuple[str, ...]:
    """Sentences about the photos, by name, without a face among the `found`, or with a reason of another kind.

    The first one says so if nobody is seen in two photos.
    """
    told = tuple(
        left_out(name, reasons.get(number, _NO_FACE))
        for number, name in enumerate(names)
        if number in reasons or number not in found
    )
    used = [number for number in found if number not in reasons]
    alone = len(used) == 1 and _STRANGER in reasons.values()
    return (NOBODY_TWICE.format(names[used[0]]), *told) if alone else told


def left_out(name: str, reason: str) -> str:
    """A sentence about a photo that is left out."""
    return f"{name} is left out: {reason}."


def find_strangers(agreement: np.ndarray, expected_error: np.ndarray) -> np.ndarray:
    """(B,) bool, whether a face is not of the person that most photos show.

    `agreement` (B, B) is that of pairs, `expected_error` (B,) the expected landmark errors. Faces are grouped by the
    mean agreement between groups, those that agree most first; the person is the group with the largest weight.
    """
    groups = [[number] for number in range(len(agreement))]
    while len(groups) > 1:
        means = [(agreement[np.ix_(groups[a], groups[b])].mean(), a, b) for a, b in combinations(range(len(groups)), 2)]
        most, first, second = max(means, key=lambda each: each[0])
        if most < LEAST_AGREEMENT:
            break
        groups[first] += groups.pop(second)
    weight = photo_weights(expected_error)
    person = max(groups, key=lambda group: weight[group].sum())
    return ~np.isin(np.arange(len(agreement)), person)


def identity_agreement(identity: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """(B, B) logarithms of how much likelier one person is than two.

    For identities (B, K) with covariances (B, K, K).
    """
    count, size = identity.shape
    shared = PEOPLE * np.eye(size)
    each = shared + DOUBT * covariance
    alone = [_log_density(vector, matrix) for vector, matrix in zip(identity, each, strict=True)]
    agreement = np.zeros((count, count))
    for a, b in combinations(range(count), 2):
        both = np.block([[each[a], shared], [shared, each[b]]])
        ratio = _log_density(np.concatenate([identity[a], identity[b]]), both) - alone[a] - alone[b]
        agreement[a, b] = agreement[b, a] = ratio
    return agreement


def _log_density(vector: np.ndarray, covariance: np.ndarray) -> float:
    """Of the normal distribution about 0, but for the constant that belongs to the number of dimensions."""
    root = np.linalg.cholesky(covariance)
    return float(-0.5 * np.square(np.linalg.solve(root, vector)).sum() - np.log(np.diagonal(root)).sum())


def photo_weights(expected_error: np.ndarray, left_out: np.ndarray | None = None) -> np.ndarray:
    """Weights (B,) of B photos, sum 1: the inverse square of the expected landmark error, 0 for those left out."""
    weight = 1 / np.square(expected_error)
    if left_out is not None:
        weight = np.where(left_out, 0, weight)
    return weight / weight.sum()


def share_identity(coefficients: FaceCoefficients, weight: np.ndarray) -> FaceCoefficients:
    """The coefficients of B faces with the weighted mean identity and albedo; those without weight keep their own."""
    own = {name: getattr(coefficients, name) for name in ("identity", "albedo")}
    shared = {
        name: np.where(weight[:, None] > 0, (weight @ values).astype(np.float32), values)
        for name, values in own.items()
    }
    return replace(coefficients, **shared)
