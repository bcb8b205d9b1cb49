"""Teeth, gums and tongue as fine as in the source, in place of the model's own, which are a few facets each.

Crowns are complete, roots and the last teeth left out, gums and tongue thinned. Their points lie where the model's own
did, and move with the nearest of these. Colours are those of a palette: a place in it says what a point is of, and how
much light it gets.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from deep3d.face_model import FaceModel
from recipe.decimation import decimate
from recipe.source import PARTS, Source
from recipe.topology import triangulate

OWN = np.arange(11206, 12346)  # the model's vertices of gums, tongue and teeth
OWN_GUMS, OWN_UPPER, OWN_LOWER = np.arange(11206, 11586), np.arange(11586, 12004), np.arange(12004, 12346)
TONGUE = np.arange(11515, 11586)
CROWN = 1.35  # centimetres of a tooth from its edge that are kept
WISDOM = 3  # number, from behind, of the last tooth that nobody sees
GUMS = 800  # points of gums and tongue that are kept
ENAMEL, GUM, LINGUA, LASH = range(4)  # rows of the palette
PALETTE = (0.7735, 0.9645, 0.8035, 0.9965)  # left, bottom, right and top in the atlas, beside the face chart
BORDER = 0.08  # of the palette, which blends with what is beside it
FRONT, BACK = 0.3, -0.15  # decimetres in model space between which the light fades
BRIGHT, DIM = {ENAMEL: 1.0, GUM: 1.0, LINGUA: 0.85}, 0.3
PAPILLA, BESIDE = 0.75, 0.15
"""Centimetres from the biting edge up to which gums between teeth look like teeth in shade, and from a tooth."""
IN_GAP = 0.7  # brightness there: dark triangles would make every smile gappy
GAP, GAP_WIDTH = 0.4, 0.08  # how much darker it is between teeth, and over how many centimetres
NECK_OF_TOOTH = 0.9  # brightness beside the gum, of that at the edge
ROOT, TIP = -0.2, 0.3  # decimetres: tongueOut moves the tongue from the first, and fully at the second
OUT, OVER, DOWN = 0.62, 0.11, 0.2  # decimetres forward, up over the teeth, and down beyond the lips
CARRIERS = 4


def build_mouth(source: Source, model: FaceModel, offset: np.ndarray, first: int) -> dict[str, np.ndarray]:
    """Arrays as those of `recipe.bust.build_bust`, for points that will be numbered from `first` on.

    `offset` (3,) leads from the source's centimetres to the model's.
    """
    triangles = np.concatenate([_teeth(source), _gums(source)])
    used, corners = np.unique(triangles, return_inverse=True)
    vertices = (source.neutral[used] + offset) / 10
    start, stop = PARTS["teeth"]
    tooth = (used >= start) & (used < stop)
    from_edge, upper = _on_teeth(source)
    own = np.clip(used - start, 0, stop - start - 1)
    carriers, weights = _followed(model, vertices, tooth, upper[own])
    tongue = ~tooth & np.isin(_nearest(model, OWN_GUMS, vertices), TONGUE)
    gap = ~tooth & ~tongue & _between_teeth(vertices, vertices[tooth], from_edge[own][tooth])
    kind = np.select([tooth | gap, tongue], [ENAMEL, LINGUA], GUM)
    light = _light(vertices, kind, np.where(tooth, from_edge[own], 0)) * np.where(gap, IN_GAP, 1)
    light[tooth] *= 1 - GAP * np.exp(-((_to_other_teeth(source)[own][tooth] / GAP_WIDTH) ** 2))
    return {
        "vertices": vertices,
        "carriers": carriers,
        "weights": weights,
        "triangles": corners.reshape(-1, 3) + first,
        "uv": palette_uv(kind, light),
        "uv_triangles": corners.reshape(-1, 3),
        "arch": np.where(
            np.where(tooth, upper[own], np.isin(carriers[:, 0], OWN_GUMS) & _above(model, carriers)), 1, 2
        ),
        "tongue": np.flatnonzero(tongue) + first,
        "tongue_out": _tongue_out(vertices[tongue]),
    }


def _above(model: FaceModel, carriers: np.ndarray) -> np.ndarray:
    """(P,) whether points go with gums that stay when the jaw opens."""
    jaw = model.expression_basis.reshape(-1, *model.mean_shape.shape)[model.expression_names.index("jawOpen")]
    return np.linalg.norm(jaw[carriers], axis=2).mean(axis=1) < 0.02


def lips(model: FaceModel) -> np.ndarray:
    """Vertices of the skin round the mouth, and of the lips, that look forward: the mouth lies behind them."""
    mean, normals = model.mean_shape, model.normals(model.mean_shape[None])[0]
    corners = model.landmarks(mean[None])[0][48:68]
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = ((mean > low - [0.15, 0.3, 0.3]) & (mean < high + [0.15, 0.2, 0.3])).all(axis=1)
    return np.flatnonzero(near & (normals[:, 2] > 0.2) & (np.arange(len(mean)) < OWN[0]) & (model.skin > 0.5))


def _teeth(source: Source) -> np.ndarray:
    """Triangles of the crowns."""
    start, stop = PARTS["teeth"]
    quads = source.quads[((source.quads >= start) & (source.quads < stop))[:, :3].all(axis=1)]
    triangles = triangulate(source.neutral, quads)
    number = _pieces(source, start, stop)
    depth = np.bincount(number, source.neutral[start:stop, 2]) / np.bincount(number)
    kept = (_on_teeth(source)[0] < CROWN) & (depth[number] > np.sort(depth)[WISDOM])
    return triangles[kept[triangles - start].all(axis=1)]


def _on_teeth(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Of each vertex of the teeth, centimetres of height from the biting edge of its tooth; and whether it is upper."""
    start, stop = PARTS["teeth"]
    number = _pieces(source, start, stop)
    height = source.neutral[start:stop, 1]
    means = np.bincount(number, height) / np.bincount(number)
    upper = (means > height.mean())[number]
    edges = np.where(upper, height, -height)
    lowest = np.full(number.max() + 1, np.inf)
    np.minimum.at(lowest, number, edges)
    return edges - lowest[number], upper


def _to_other_teeth(source: Source) -> np.ndarray:
    """(T,) centimetres from each vertex of the teeth to the nearest one of another tooth of the same row."""
    start, stop = PARTS["teeth"]
    number, upper, points = _pieces(source, start, stop), _on_teeth(source)[1], source.neutral[start:stop]
    distance = np.full(stop - start, np.inf)
    for each in np.unique(number):
        rows = number == each
        others = points[~rows & (upper == upper[rows][0])]
        distance[rows] = KDTree(others).query(points[rows])[0]
    return distance


def _between_teeth(points: np.ndarray, teeth: np.ndarray, from_edge: np.ndarray) -> np.ndarray:
    """(P,) whether points lie beside teeth near their biting edges; all in decimetres, `from_edge` in centimetres."""
    distance, nearest = KDTree(teeth).query(points)
    return (distance < BESIDE / 10) & (from_edge[nearest] < PAPILLA)


def _pieces(source: Source, start: int, stop: int) -> np.ndarray:
    """(stop - start,) the number of the connected piece of each vertex."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    quads = source.quads[((source.quads >= start) & (source.quads < stop))[:, :3].all(axis=1)] - start
    quads = np.where(quads < 0, quads[:, :1], quads)
    edges = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(stop - start,) * 2)
    return connected_components(graph, directed=False)[1]


def _gums(source: Source) -> np.ndarray:
    start, stop = PARTS["gums"]
    quads = source.quads[((source.quads >= start) & (source.quads < stop))[:, :3].all(axis=1)]
    triangles = triangulate(source.neutral, quads)
    return decimate(source.neutral, triangles, GUMS, locked=np.zeros(len(source.neutral), bool))


def _followed(
    model: FaceModel, vertices: np.ndarray, tooth: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(P, CARRIERS) vertices of the model's own mouth that each point moves with, and how much with each."""
    carriers, weights = np.zeros((len(vertices), CARRIERS), np.int64), np.zeros((len(vertices), CARRIERS))
    for rows, own in ((tooth & upper, OWN_UPPER), (tooth & ~upper, OWN_LOWER), (~tooth, OWN_GUMS)):
        distance, place = KDTree(model.mean_shape[own]).query(vertices[rows], CARRIERS)
        weight = 1 / (np.asarray(distance) + 0.005)
        carriers[rows], weights[rows] = own[place], weight / weight.sum(axis=1, keepdims=True)
    return carriers, weights


def _nearest(model: FaceModel, own: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    return own[KDTree(model.mean_shape[own]).query(vertices)[1]]


def _light(vertices: np.ndarray, kind: np.ndarray, from_edge: np.ndarray) -> np.ndarray:
    """(P,) in [0, 1]: less and less behind the lips, and less beside the gums."""
    depth = np.clip((vertices[:, 2] - BACK) / (FRONT - BACK), 0, 1)
    bright = np.array([BRIGHT[each] for each in range(3)])[kind]
    return (DIM + (bright - DIM) * depth) * (1 - (1 - NECK_OF_TOOTH) * np.clip(from_edge / CROWN, 0, 1))


def palette_uv(kind: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(P, 2) UVs of points of some kinds (P,) in light (P,) from 0 to 1."""
    left, bottom, right, top = PALETTE
    u = left + (right - left) * (BORDER + (1 - 2 * BORDER) * light)
    v = top - (top - bottom) * (kind + 0.5) / 4
    return np.stack([u, v], axis=1)


def _tongue_out(tongue: np.ndarray) -> np.ndarray:
    """(N, 3) decimetres: the tongue slides over the lower teeth and bends down."""
    share = np.clip((tongue[:, 2] - ROOT) / (TIP - ROOT), 0, 1)
    share = share**2 * (3 - 2 * share)
    return np.stack([np.zeros_like(share), OVER * share - DOWN * share**4, OUT * share], axis=1)
