"""Eyelashes: single tapering strands along the source's sheets of lashes, which move with the lids' edges."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from deep3d.face_model import FaceModel
from recipe.mouth import LASH, palette_uv
from recipe.source import Source

SHEETS = (25351, 26035)  # first vertex of the person's left and right eye: three upper sheets, then lower ones
COLUMNS, ROWS = 38, 3  # points of a sheet along the lid, and from root to tip
POINTS = COLUMNS * ROWS
CHOSEN = (0, 1)  # of the upper sheets: photos show the lower lashes on the skin
WIDTH = (0.02, 0.014)  # centimetres from the middle of a strand to its side, at its root and half way
CARRIERS = 4


def build_lashes(source: Source, model: FaceModel, offset: np.ndarray, first: int) -> dict[str, np.ndarray]:
    """Arrays as those of `recipe.mouth.build_mouth`; `offset` and `first` are the same."""
    strands = np.concatenate([_strands(source, start + sheet * POINTS) for start in SHEETS for sheet in CHOSEN])
    vertices = (strands.reshape(-1, 3) + offset) / 10
    one_side = np.array([[0, 1, 2], [1, 3, 2], [2, 3, 4]])
    both = np.concatenate([one_side, one_side[:, ::-1]])
    corners = (np.arange(len(strands))[:, None, None] * 5 + both).reshape(-1, 3)
    carriers, weights = _followed(model, vertices.reshape(-1, 5, 3)[:, :2].mean(axis=1))
    return {
        "vertices": vertices,
        "carriers": carriers.repeat(5, axis=0),
        "weights": weights.repeat(5, axis=0),
        "triangles": corners + first,
        "uv": palette_uv(np.full(len(vertices), LASH), np.ones(len(vertices))),
        "uv_triangles": corners,
    }


def _strands(source: Source, start: int) -> np.ndarray:
    """(N, 5, 3) centimetres: two points at the root, two half way, one at the tip."""
    sheet = source.neutral[start : start + POINTS]
    place = _grid(source, start)
    root, tip, _ = (sheet[place[row]] for row in range(ROWS))  # longer ones are specks in small pictures
    half = (root + tip) / 2
    along = np.gradient(root, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    rows = [root - WIDTH[0] * along, root + WIDTH[0] * along, half - WIDTH[1] * along, half + WIDTH[1] * along, tip]
    return np.stack(rows, axis=1)[1:-1]


def _grid(source: Source, start: int) -> np.ndarray:
    """(ROWS, COLUMNS) places in a sheet, by its UVs: along the lid, and from the root to the tip."""
    uv = np.zeros((len(source.neutral), 2))
    uv[source.quads.ravel()] = source.uv[source.quads_uv.ravel()]
    u, v = uv[start : start + POINTS].T
    order = np.argsort(u, kind="stable").reshape(COLUMNS, ROWS)
    order = np.take_along_axis(order, np.argsort(v[order], axis=1), axis=1).T
    sheet = source.neutral[start : start + POINTS]
    forward = sheet[order[0], 2].mean() > sheet[order[-1], 2].mean()
    return order[::-1] if forward else order


def _followed(model: FaceModel, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, CARRIERS) vertices of the lids that each strand moves with, and how much with each."""
    lids = np.flatnonzero(model.skin > 0.5)
    distance, place = KDTree(model.mean_shape[lids]).query(roots, CARRIERS)
    weight = 1 / (np.asarray(distance) + 0.005)
    return lids[place], weight / weight.sum(axis=1, keepdims=True)
