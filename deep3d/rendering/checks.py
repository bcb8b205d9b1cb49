"""Errors for arrays with wrong shapes or invalid indices in a rasteriser's arguments."""

from __future__ import annotations

from deep3d.arrays import Array
from deep3d.errors import ShapeError


def expect_shape(name: str, array: Array, shape: str) -> None:
    """Raise ShapeError unless the array has a shape such as "B V 4", where letters stand for any size."""
    wanted = shape.split()
    got = tuple(array.shape)
    if len(got) != len(wanted) or any(side.isdigit() and int(side) != size for side, size in zip(wanted, got)):
        raise ShapeError(f"{name}: expected shape ({', '.join(wanted)}), got {got}")


def expect_triangles(triangles: Array, count: int) -> None:
    """Raise ShapeError unless these are (T, 3) indices of `count` vertices."""
    expect_shape("triangles", triangles, "T 3")
    if triangles.shape[0] and not 0 <= int(triangles.min()) <= int(triangles.max()) < count:
        raise ShapeError(f"triangles: expected indices in 0..{count - 1}, got {triangles.min()}..{triangles.max()}")
