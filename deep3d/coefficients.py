"""The 257 numbers that describe a face: their names, order and sizes, defined once."""

from __future__ import annotations

from dataclasses import dataclass

from deep3d.arrays import Array, array_namespace
from deep3d.errors import ShapeError

IDENTITY = slice(0, 80)
EXPRESSION = slice(80, 144)
ALBEDO = slice(144, 224)
ROTATION = slice(224, 227)
LIGHTING = slice(227, 254)
TRANSLATION = slice(254, 257)
COEFFICIENT_COUNT = 257
SHAPE_COUNT = EXPRESSION.stop - IDENTITY.start  # identity and expression
ALBEDO_COUNT = ALBEDO.stop - ALBEDO.start
LIGHTING_COUNT = LIGHTING.stop - LIGHTING.start

FIELDS = {
    "identity": IDENTITY,
    "expression": EXPRESSION,
    "albedo": ALBEDO,
    "rotation": ROTATION,
    "lighting": LIGHTING,
    "translation": TRANSLATION,
}


@dataclass(frozen=True)
class FaceCoefficients:
    """Coefficients of a batch of B faces, all numpy or all torch."""

    identity: Array  # (B, 80) standard deviations
    expression: Array  # (B, 64) weights; 0..52 of the open model are ARKit shapes in [0, 1]
    albedo: Array  # (B, 80) standard deviations
    rotation: Array  # (B, 3) radians about x, y, z; R = Rz Ry Rx
    lighting: Array  # (B, 27) three rows of nine spherical harmonics: red, green, blue
    translation: Array  # (B, 3) decimetres

    @classmethod
    def from_vector(cls, vector: Array) -> FaceCoefficients:
        """Split a (B, 257) vector.

        Raises: ShapeError if the vector is not (B, 257).
        """
        if vector.ndim != 2 or vector.shape[1] != COEFFICIENT_COUNT:
            raise ShapeError(f"coefficients: expected shape (B, {COEFFICIENT_COUNT}), got {tuple(vector.shape)}")
        return cls(**{name: vector[:, part] for name, part in FIELDS.items()})

    def to_vector(self) -> Array:
        """Join the fields into (B, 257)."""
        xp = array_namespace(self.identity)
        return xp.concat([getattr(self, name) for name in FIELDS], axis=1)

    def __len__(self) -> int:
        return self.identity.shape[0]

    def __getitem__(self, index: int | slice | Array) -> FaceCoefficients:
        """One face, a range of faces or those of some rows, still as a batch."""
        part = slice(index, index + 1 or None) if isinstance(index, int) else index
        return FaceCoefficients(**{name: getattr(self, name)[part] for name in FIELDS})
