"""Place the open model's 68 landmarks where a reference detector sees them on real portraits.

    python bfm/calibrate_landmarks.py PORTRAITS --model RAW --checkpoint WEIGHTS --out bfm/landmarks.json

PORTRAITS is a folder with photos/ and reference landmarks.npz; only its tuning half (even numbers) is used.
RAW is the model as build_open_model.py makes it without landmarks, WEIGHTS a regressor for it, which lays it over the
portraits. For each landmark the points of a fine lattice on the facial skin round its
present place are tried, and the one is kept whose projection lies nearest to the reference: nearest in the mean over
photos of the distance relative to the face box, cut off at OUTLIER so that a photo gone wrong pulls nowhere, plus a
small price for moving. Left and right share one answer (both sides' errors are added, the place is mirrored), and
midline landmarks stay on midline edges. A lattice point is projected as the blend of its triangle's corners.

The error also holds what the regressor does wrong on average; calibrate again after it has improved.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from deep3d.datasets.frozen import PortraitSet, read_portraits
from deep3d.errors import DatasetError, FaceModelInvalid
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.face_model import FaceModel
from deep3d.landmarks import JAW, MIRROR, box_size
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.reconstruction import Reconstruction

SCHEMA = "deep3d.landmarks/1"
STEPS = 6  # a triangle's edge is divided into so many parts
LATTICE = np.array([(a, b, STEPS - a - b) for a in range(STEPS + 1) for b in range(STEPS + 1 - a)]) / STEPS
"""Barycentric weights (G, 3) of the points tried on a triangle."""
OUTLIER = 0.06  # of the face box: no photo counts with more error than this
MOVING_PRICE = 0.0005  # of the face box, for a move of 10 mm; grows with the square
INNER_REACH, JAW_REACH = 0.16, 0.30  # decimetres along the surface, as far as a landmark may move
INNER_YAW, JAW_YAW = 35.0, 25.0  # degrees: heads turned further do not count


@dataclass(frozen=True)
class PlacedVertices:
    """A face model laid over P portraits."""

    photos: tuple[str, ...]  # P file names
    pixels: np.ndarray  # (P, V, 2) photo pixels
    yaw: np.ndarray  # (P,) degrees


@dataclass(frozen=True)
class Placement:
    """68 points on the surface of a face model."""

    triangles: np.ndarray  # (68,)
    weights: np.ndarray  # (68, 3) barycentric


def place_vertices(photos: Sequence[Path], results: Iterable[Reconstruction | None]) -> PlacedVertices:
    """What the regressor made of the photos, one result for each; those without a face are left out."""
    names, pixels, yaw = [], [], []
    for photo, result in zip(photos, results, strict=True):
        if result is not None:
            names.append(photo.name)
            pixels.append(result.to_photo(result.vertices)[:, :2].astype(np.float32))
            yaw.append(result.pose.yaw)
    return PlacedVertices(tuple(names), np.array(pixels), np.array(yaw))


def calibrate(model: FaceModel, placed: PlacedVertices, portraits: PortraitSet) -> Placement:
    """The best place of every landmark.

    Raises: DatasetError if a photo is not among the portraits, FaceModelInvalid if a landmark has no skin round it.
    """
    rows = {photo.name: row for row, photo in enumerate(portraits.photos)}
    strangers = [name for name in placed.photos if name not in rows]
    if strangers:
        raise DatasetError(f"{strangers[0]}: not in the tuning half of the portraits; place the model on those alone")
    references = portraits.landmarks[[rows[name] for name in placed.photos]]
    box = box_size(references)
    search = _Search(model)
    triangles, weights = np.zeros(68, np.int32), np.zeros((68, 3))
    for landmark, twin in enumerate(MIRROR):
        if landmark <= twin:
            jaw = landmark < JAW.stop
            near = np.abs(placed.yaw) < (JAW_YAW if jaw else INNER_YAW)
            if not near.any():
                raise DatasetError("placed vertices: no head near frontal; place the model on the whole tuning half")
            around = search.around(landmark, JAW_REACH if jaw else INNER_REACH)
            sides = [(landmark, model.triangles[around]), (twin, search.mirrored[around])]
            cost = np.zeros((len(around), len(LATTICE)))
            for point, corners in sides:
                cost += _distance(placed.pixels[near], corners, references[near, point], box[near])
                cost += _moving_price(model, corners, point)
            if landmark == twin:
                cost[~search.on_midline(around)] = np.inf
            best, place = np.unravel_index(np.argmin(cost), cost.shape)
            for point, corners in sides:
                found = corners[best].tolist()
                triangles[point] = search.number[frozenset(found)]
                order = [found.index(vertex) for vertex in model.triangles[triangles[point]]]
                weights[point] = LATTICE[place][order]
    return Placement(triangles, weights)


def write_placement(file: Path, model: FaceModel, placement: Placement, photo_count: int) -> None:
    """Write three vertex numbers and three weights for each landmark, and how far it has moved."""
    vertices = model.triangles[placement.triangles]
    places = np.einsum("lc,lcd->ld", placement.weights, model.mean_shape[vertices])
    moved_mm = 100 * np.linalg.norm(places - model.landmarks(model.mean_shape[None])[0], axis=1)
    content = {
        "schema": SCHEMA,
        "face_model": {"name": model.info.name, "version": model.info.version, "vertices": len(model.mean_shape)},
        "photos": photo_count,
        "vertices": vertices.tolist(),
        "weights": placement.weights.round(6).tolist(),
        "moved_mm": moved_mm.round(2).tolist(),
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


class _Search:
    """The skin triangles of a face model that have a mirror image in the mesh, and ways along them."""

    def __init__(self, model: FaceModel) -> None:
        self.number = {frozenset(corners): index for index, corners in enumerate(model.triangles.tolist())}
        self.mirrored = model.mirror[model.triangles]  # (T, 3) corner by corner
        paired = np.array([frozenset(corners) in self.number for corners in self.mirrored.tolist()])
        self._usable = paired & (model.skin[model.triangles] > 0.5).all(axis=1)
        self._own_mirror = self.mirrored == model.triangles
        self._model = model
        ends = model.triangles[self._usable][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        ends = np.unique(np.sort(ends, axis=1), axis=0)
        lengths = np.linalg.norm(model.mean_shape[ends[:, 0]] - model.mean_shape[ends[:, 1]], axis=1)
        count = len(model.mean_shape)
        self._edges = csr_array((lengths, (ends[:, 0], ends[:, 1])), shape=(count, count))

    def around(self, landmark: int, reach: float) -> np.ndarray:
        """Triangles within `reach` decimetres along the skin, so that no upper lip strays to the lower one.

        Raises: FaceModelInvalid if there is none.
        """
        start = self._model.triangles[self._model.landmark_triangles[landmark]]
        way = dijkstra(self._edges, directed=False, indices=start, limit=reach, min_only=True)
        found = np.flatnonzero(self._usable & np.isfinite(way)[self._model.triangles].all(axis=1))
        if len(found) == 0:
            raise FaceModelInvalid(f"landmark {landmark}: no facial skin with a mirror image round it; mend `skin`")
        return found

    def on_midline(self, triangles: np.ndarray) -> np.ndarray:
        """(T, G) whether a lattice point is a blend of midline vertices alone."""
        return ((LATTICE[None] == 0) | self._own_mirror[triangles][:, None]).all(axis=2)


def _distance(pixels: np.ndarray, corners: np.ndarray, target: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Mean distance (T, G) of the lattice points to (P, 2) targets over photos, as a share of the (P,) face boxes."""
    total = np.zeros((len(corners), len(LATTICE)))
    for photo in range(len(pixels)):
        points = np.einsum("gc,tcd->tgd", LATTICE, pixels[photo][corners] - target[photo])
        total += np.minimum(np.linalg.norm(points, axis=2) / box[photo], OUTLIER)
    return total / len(pixels)


def _moving_price(model: FaceModel, corners: np.ndarray, landmark: int) -> np.ndarray:
    present = model.landmarks(model.mean_shape[None])[0, landmark]
    points = np.einsum("gc,tcd->tgd", LATTICE, model.mean_shape[corners] - present)
    return MOVING_PRICE * (points**2).sum(axis=2) / 0.1**2


def main() -> None:
    """Calibrate by the files named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path, help="folder of portraits with landmarks.npz")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("landmarks.json"))
    arguments = parser.parse_args()
    reconstructor = Reconstructor.load(arguments.checkpoint, arguments.model)
    portraits = read_portraits(arguments.portraits, "tune")
    results = ReconstructorPredictor(reconstructor).reconstructions(portraits.photos)
    placed = place_vertices(portraits.photos, results)
    placement = calibrate(reconstructor.face_model, placed, portraits)
    write_placement(arguments.out, reconstructor.face_model, placement, len(placed.photos))


if __name__ == "__main__":
    main()
