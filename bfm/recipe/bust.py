"""Neck and shoulders below the face model's border: skin down to a collar, a plain shirt, and a rounded end.

Rays from the middle of the neck meet the source's surface between the border and an oval cut that slopes down to the
chest. There is one column of points for each vertex of the border, so that the bust joins it without a seam. The shirt
lies over that surface; its collar rises above the border behind, and stands off the neck.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.mesh import vertex_normals, vertex_triangles
from recipe.source import PARTS, Source
from recipe.topology import NECK_CUT_CM, triangulate

SKIN, COLLAR, BODY = range(3)  # what a point shows
SKIN_ROWS, BODY_ROWS = 4, 6  # from the border to below the collar, and from there to the cut
TUCKED, SUNK = 1.3, 0.15  # centimetres below the neckline at which the skin ends, and that it lies deeper there
COLLAR_ROWS = ((1.25, 0.10), (0.1, 0.14), (0.0, 0.28), (0.12, 0.44), (0.5, 0.54), (0.85, 0.52), (0.97, 0.42))
"""From its inner side over its edge to its seam: centimetres below the neckline, and off the skin."""
GROOVE = 0.06  # centimetres below the seam where the shirt's body begins
CLOTH = 0.48  # centimetres off the skin
NECKLINE = (-14.2, -2.5, 0.26)
"""Height and depth in front, centimetres in model space, and how much it rises for each centimetre farther back."""
LIP = ((0.985, 0.10), (0.93, 0.22), (0.80, 0.30), (0.45, 0.34))
"""Rows of the rounded end: size relative to the cut, and decimetres that it bulges out below it."""
WIDTH, DEPTH, SLOPE = 10.9, 4.1, 0.36  # centimetres of the cut from the middle to a shoulder, and down; its tangent
POWER = 2.1  # of the oval
STEPS = 60  # of a column, from above the neckline to the cut
DECIMETRES_PER_CM = 0.1
CARRIERS = 4  # vertices of the border that a point moves with
NARROWEST, WIDEST = 3, 24  # columns that they are away, at the border and at the cut
STRIP = (0.095, 0.702)  # of the atlas, from left to right: below the face chart's neck
SINK = 0.006  # of the atlas, from the border of that chart to the strip
FLOOR = 0.2135  # v, above the charts of the teeth
AMBIENT, FROM_ABOVE = 0.62, np.array([0.25, 0.75, 0.6])
"""The soft light in which the bust is painted: what comes from everywhere, and where the rest comes from."""
BEHIND_COLLAR = (0.9, 0.7, 0.5, 0.4)  # brightness of the rows of skin in its shade
IN_COLLAR = (0.4, 0.6, 0.95, 1.0, 1.0, 0.95, 0.7)  # and of its own


def build_bust(source: Source, model: FaceModel) -> dict[str, np.ndarray]:
    """The bust's points, what moves them, their triangles, UVs and light; see `deep3d/whole_head/parts.py`."""
    ring = border(model)
    base = _rows(source, model, ring)
    rows, count = base.shape[:2]
    numbers = len(model.mean_shape) + np.arange(rows * count).reshape(rows, count)
    grid = np.concatenate([ring[None], numbers])
    triangles = _grid_triangles(grid)
    vertices = base.reshape(-1, 3)
    triangles = np.concatenate([triangles, _cap(grid[-1])])
    uv, uv_triangles = _strip(model, ring, grid, triangles)
    return {
        "vertices": vertices,
        "carriers": _carriers(ring),
        "weights": np.full((len(vertices), CARRIERS), 1 / CARRIERS),
        "triangles": triangles,
        "uv": uv,
        "uv_triangles": uv_triangles,
        "light": _light(model, vertices, triangles, ring),
        "worn": np.repeat(_by_row(SKIN, COLLAR, BODY), count),
    }


def _by_row(skin: float, collar: float, body: float) -> np.ndarray:
    """(rows,) one value for rows of skin, of the collar, and of what is below."""
    return np.repeat([skin, collar, body], [SKIN_ROWS, len(COLLAR_ROWS), BODY_ROWS + len(LIP)])


def border(model: FaceModel) -> np.ndarray:
    """(R,) vertices at the lower end of the neck, counter-clockwise seen from above, from the middle of the back."""
    triangles = model.triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    count = len(model.mean_shape)
    lone = edges[~np.isin(edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0])]
    low = model.mean_shape[lone, 1].max(axis=1) < model.mean_shape[:, 1].min() + 0.02
    following = dict(lone[low].tolist())
    first = min(following, key=lambda v: (abs(model.mean_shape[v, 0]) > 0.05, model.mean_shape[v, 2]))
    ring = [first]
    while following[ring[-1]] != first:
        ring.append(following[ring[-1]])
    chain = np.array(ring)
    x, z = (model.mean_shape[chain] - model.mean_shape[chain].mean(axis=0))[:, [0, 2]].T
    turning = np.roll(x, -1) * z - x * np.roll(z, -1)
    return chain if turning.sum() > 0 else np.roll(chain[::-1], 1)


def _carriers(ring: np.ndarray) -> np.ndarray:
    """(rows * R, CARRIERS) vertices of the border that each point moves with: the lower, the wider they are spread."""
    body = np.linspace(0, 1, BODY_ROWS + len(LIP))
    reach = np.concatenate([np.full(SKIN_ROWS + len(COLLAR_ROWS), NARROWEST), NARROWEST + body * (WIDEST - NARROWEST)])
    steps = np.rint(reach[:, None] * np.linspace(-1, 1, CARRIERS)).astype(int)
    columns = np.arange(len(ring))[None, :, None] + steps[:, None, :]
    return ring[columns % len(ring)].reshape(-1, CARRIERS)


def _rows(source: Source, model: FaceModel, ring: np.ndarray) -> np.ndarray:
    """(rows, R, 3) decimetres in model space."""
    quads = source.quads[(source.quads < PARTS["head"][1]).all(axis=1)]
    surface = source.neutral[triangulate(source.neutral, quads)]
    surface = surface[surface[..., 1].min(axis=1) < NECK_CUT_CM + 4]
    offset = model_offset(source, model)
    surface = surface + offset
    places = model.mean_shape[ring] / DECIMETRES_PER_CM
    middle = np.array([0.0, NECK_CUT_CM + offset[1], places[:, 2].mean()])
    columns = [_column(surface, middle, place) for place in places]
    on_skin = _smoothed(np.stack([_on(*column, place[1]) for column, place in zip(columns, places)], axis=1))
    off = np.concatenate([np.linspace(0, -SUNK, SKIN_ROWS), [off for _, off in COLLAR_ROWS], np.full(BODY_ROWS, CLOTH)])
    grid = on_skin + off[:, None, None] * _outward(on_skin)
    centre = grid[-1].mean(axis=0)
    lip = [centre + (grid[-1] - centre) * size - [0, sink / DECIMETRES_PER_CM, 0] for size, sink in LIP]
    return np.concatenate([grid, np.array(lip)]) * DECIMETRES_PER_CM


def _column(surface: np.ndarray, middle: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (STEPS, 3) of the surface below a place of the border or of the neckline, the higher one, to the cut.

    Beside them, how far below the neckline each lies (STEPS,), in centimetres along the surface.
    """
    out = (place - middle) * [1, 0, 1]
    out /= np.linalg.norm(out)
    neckline = _steepest(surface, middle, out, _above_neckline)
    cut = _steepest(surface, middle, out, lambda point: _beyond(point - middle) < 1)
    angles = np.linspace(min(neckline, 0.02), cut, STEPS)
    points = np.array([_hit(surface, middle, _way(out, angle)) for angle in angles], np.float64)
    along = np.concatenate([[0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
    return points, along - np.interp(neckline, angles, along)


def _above_neckline(point: np.ndarray) -> bool:
    height, depth, rise = NECKLINE
    return point[1] > height + rise * (depth - point[2])


def _steepest(surface: np.ndarray, middle: np.ndarray, out: np.ndarray, inside: Callable[[np.ndarray], bool]) -> float:
    """How many radians below the horizon the ray in a direction is that meets the last point inside: bisection."""
    high, low = -0.5, 1.45
    for _ in range(24):
        angle = (high + low) / 2
        found = _hit(surface, middle, _way(out, angle))
        if found is None or not inside(found):
            low = angle
        else:
            high = angle
    if _hit(surface, middle, _way(out, high)) is None:
        raise ValueError("the source has no bust below its neck; use ICT-FaceKit's generic mesh")
    return high


def _way(out: np.ndarray, angle: float) -> np.ndarray:
    """The unit vector in a direction, so many radians below the horizon."""
    return np.cos(angle) * out - np.sin(angle) * np.array([0, 1, 0])


def _on(points: np.ndarray, along: np.ndarray, border_height: float) -> np.ndarray:
    """(rows, 3) where the rows of a column lie on the skin; its points go down."""
    border = np.interp(-border_height, -points[:, 1], along)
    skin = border + (np.arange(SKIN_ROWS) + 1) / SKIN_ROWS * (TUCKED - border)
    collar = np.array([below for below, _ in COLLAR_ROWS])
    start = collar[-1] + GROOVE
    below = np.concatenate([skin, collar, np.linspace(start, along[-1], BODY_ROWS)])
    return np.stack([np.interp(below, along, each) for each in points.T], axis=1)


def _outward(grid: np.ndarray) -> np.ndarray:
    """(rows, R, 3) unit normals of rows of points that go round."""
    across = np.roll(grid, -1, axis=1) - np.roll(grid, 1, axis=1)
    normals = np.cross(np.gradient(grid, axis=0), across)
    return normals / np.linalg.norm(normals, axis=2, keepdims=True)


def model_offset(source: Source, model: FaceModel) -> np.ndarray:
    """(3,) centimetres from the source's coordinates to the model's, which are recentred."""
    same = slice(0, 1000)  # the first vertices are the same
    return np.median(model.mean_shape[same] / DECIMETRES_PER_CM - source.neutral[same], axis=0)


def _beyond(place: np.ndarray) -> float:
    """1 on the cut, less inside."""
    down = max(-place[1] - SLOPE * place[2], 0)
    return (abs(place[0]) / WIDTH) ** POWER + (down / DEPTH) ** POWER


def _hit(surface: np.ndarray, origin: np.ndarray, way: np.ndarray) -> np.ndarray | None:
    """The farthest point of the triangles (T, 3, 3) on a ray (Moeller and Trumbore, 1997)."""
    a, ab, ac = surface[:, 0], surface[:, 1] - surface[:, 0], surface[:, 2] - surface[:, 0]
    across = np.cross(way, ac)
    volume = (ab * across).sum(axis=1)
    flat = np.abs(volume) < 1e-12
    inverse = 1 / np.where(flat, 1, volume)
    from_a = origin - a
    u = (from_a * across).sum(axis=1) * inverse
    other = np.cross(from_a, ab)
    v = (other @ way) * inverse
    t = (ac * other).sum(axis=1) * inverse
    met = ~flat & (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6) & (t > 0)
    return origin + t[met].max() * way if met.any() else None


def _smoothed(grid: np.ndarray) -> np.ndarray:
    """The rows, each point nearer to the middle of its neighbours in the row, the more the lower."""
    for row in range(len(grid)):
        for _ in range(2 + row // 2):
            grid[row] = 0.5 * grid[row] + 0.25 * (np.roll(grid[row], 1, axis=0) + np.roll(grid[row], -1, axis=0))
    return grid


def _grid_triangles(grid: np.ndarray) -> np.ndarray:
    """Two triangles for each cell of rows (n, R) of vertices that go round, seen from outside."""
    a, b = grid[:-1], np.roll(grid[:-1], -1, axis=1)
    c, d = grid[1:], np.roll(grid[1:], -1, axis=1)
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])


def _cap(last: np.ndarray) -> np.ndarray:
    """A strip across the last row, from side to side."""
    left, right = last[: len(last) // 2 + 1], np.concatenate([last[:1], last[: len(last) // 2 - 1 : -1]])
    count = min(len(left), len(right))
    pairs = [(left[k], right[k], left[k + 1], right[k + 1]) for k in range(count - 1)]
    found = [t for a, b, c, d in pairs for t in ((a, b, c), (b, d, c))]
    return np.array([t for t in found if len(set(t)) == 3])


def _strip(
    model: FaceModel, ring: np.ndarray, grid: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """UVs below the neck's chart; the first column comes twice, at both ends."""
    rows, columns = grid.shape
    across = np.linspace(*STRIP, columns + 1)
    top = _arc(model, ring, across)
    down = np.linspace(0, 1, rows)[:, None]
    uv = np.stack([np.broadcast_to(across, (rows, columns + 1)), top + down * (FLOOR - top)], axis=-1)
    place = {int(v): (r, c) for r, row in enumerate(grid) for c, v in enumerate(row)}
    found = np.array([[place[int(v)] for v in triangle] for triangle in triangles])
    row, column = found[..., 0], found[..., 1]
    wrapped = (column == 0) & (column.max(axis=1, keepdims=True) > columns // 2)
    return uv.reshape(-1, 2), row * (columns + 1) + np.where(wrapped, columns, column)


def _arc(model: FaceModel, ring: np.ndarray, across: np.ndarray) -> np.ndarray:
    """(n,) v just below the border of the face chart at each u."""
    uv = np.full((len(model.mean_shape), 2), np.nan)
    uv[model.triangles] = model.uv[model.uv_triangles]
    border = uv[ring]
    inside = border[(border[:, 1] < 0.35) & (border[:, 0] < 0.79)]
    order = np.argsort(inside[:, 0])
    arc = np.interp(across, inside[order, 0], inside[order, 1]) - SINK
    return np.maximum(arc, FLOOR + 0.004)


def _light(model: FaceModel, vertices: np.ndarray, triangles: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """(P,) how bright soft light from above makes the bust, of its colour; its skin lies in the collar's shade."""
    whole = np.concatenate([model.mean_shape, vertices]).astype(np.float32)
    joined = np.concatenate([model.triangles, triangles]).astype(np.int32)
    normals = vertex_normals(whole[None], joined, vertex_triangles(joined, len(whole)))[0]
    level = normals * [1, 1, 0.35]  # the back is lit like the front
    light = AMBIENT + (1 - AMBIENT) * np.clip(level @ (FROM_ABOVE / np.linalg.norm(FROM_ABOVE)), -1, 1)
    light = light[len(model.mean_shape) :].reshape(-1, len(ring))
    for _ in range(6):
        light = 0.5 * light + 0.25 * (np.roll(light, 1, axis=1) + np.roll(light, -1, axis=1))
    light /= light[-BODY_ROWS - len(LIP) : -len(LIP)].mean()
    light[:SKIN_ROWS] = np.array(BEHIND_COLLAR)[:, None]
    light[SKIN_ROWS : SKIN_ROWS + len(IN_COLLAR)] *= np.array(IN_COLLAR)[:, None]
    return light.reshape(-1)
