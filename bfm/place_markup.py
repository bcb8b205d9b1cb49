"""Place the 68 landmarks of the 300-W markup on the open model, by faces that people labelled.

    python bfm/place_markup.py LABELLED --out bfm/markup_300w.json

LABELLED is a folder with photos/ and landmarks.npz (`names`, `landmarks68` in photo pixels; a photo may have several
faces). The default reconstruction is laid over each face, and as in calibrate_landmarks.py the points of a fine lattice
round each present place are tried; the one whose projection lies nearest to the labels, both sides of the face
together, is kept. Points of the jaw are placed by heads that are nearly frontal and by the near side of turned ones:
on the far side labels follow the outline, which is found when it is needed.

`--leave-out` prints, for each photo, the error of its faces by places that were found without it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibrate_landmarks import LATTICE, Placement, _distance, _Search
from deep3d.evaluation.labelled import LabelledFaces, read_labelled
from deep3d.face_model import FaceModel
from deep3d.face_model.markup import SCHEMA
from deep3d.landmarks import JAW, MIRROR, box_size
from deep3d.photo import read_photo
from deep3d.pipeline.reconstructor import Reconstructor

INNER_REACH, JAW_REACH = 0.2, 0.6  # decimetres along the surface, as far as a landmark may be moved
FARTHEST_YAW = 35.0  # degrees: heads turned further do not count
FAR_SIDE = 8.0  # degrees of yaw from which the far side of the jaw does not count
INNER_PRICE, JAW_PRICE = 0.0005, 0.0001  # of the face box, for a move of 10 mm; grows with the square
LARGEST_ERROR = 12.0  # percent of the face box: a reconstruction that is further off is of another face


@dataclass(frozen=True)
class Laid:
    """A face model laid over F labelled faces."""

    pixels: np.ndarray  # (F, V, 2) photo pixels
    labels: np.ndarray  # (F, 68, 2) photo pixels
    yaw: np.ndarray  # (F,) degrees
    photo: np.ndarray  # (F,) names

    def where(self, chosen: np.ndarray) -> Laid:
        """Some of the faces."""
        return Laid(self.pixels[chosen], self.labels[chosen], self.yaw[chosen], self.photo[chosen])


def lay(reconstructor: Reconstructor, faces: LabelledFaces) -> Laid:
    """Reconstruct the photos and give each label the face that is nearest; faces that are not found are left out."""
    found: list[tuple[np.ndarray, np.ndarray, float, str]] = []
    for photo in dict.fromkeys(faces.photos):
        results = reconstructor.reconstruct([read_photo(photo)], "all")[0]
        for row in [row for row, name in enumerate(faces.photos) if name == photo]:
            labels = faces.landmarks[row]
            errors = [np.linalg.norm(face.landmarks68_mediapipe - labels, axis=1).mean() for face in results]
            if errors and 100 * min(errors) < LARGEST_ERROR * box_size(labels):
                face = results[int(np.argmin(errors))]
                found.append((face.to_photo(face.vertices)[:, :2], labels, face.pose.yaw, photo.name))
    pixels, labels, yaw, names = zip(*found, strict=True)
    return Laid(np.array(pixels), np.array(labels), np.array(yaw), np.array(names))


def place_markup(model: FaceModel, laid: Laid) -> Placement:
    """The best place of every landmark."""
    search = _Search(model)
    triangles, weights = np.zeros(68, np.int32), np.zeros((68, 3))
    for landmark, twin in enumerate(MIRROR):
        if landmark > twin:
            continue
        jaw = landmark < JAW.stop
        around = search.around(landmark, JAW_REACH if jaw else INNER_REACH)
        sides = [(landmark, model.triangles[around]), (twin, search.mirrored[around])]
        cost = sum(_error(laid, point, corners) for point, corners in sides)
        moved = np.einsum("gc,tcd->tgd", LATTICE, model.mean_shape[model.triangles[around]] - _present(model, landmark))
        cost = cost / 2 + (JAW_PRICE if jaw else INNER_PRICE) * (moved**2).sum(axis=2) / 0.1**2
        if landmark == twin:
            cost[~search.on_midline(around)] = np.inf
        best, place = np.unravel_index(np.argmin(cost), cost.shape)
        for point, corners in sides:
            found = corners[best].tolist()
            triangles[point] = search.number[frozenset(found)]
            weights[point] = LATTICE[place][[found.index(vertex) for vertex in model.triangles[triangles[point]]]]
    return Placement(triangles, weights)


def _error(laid: Laid, landmark: int, corners: np.ndarray) -> np.ndarray:
    """Mean distance (T, G) of the lattice points of triangles (T, 3) from the labels, as a share of the face box."""
    far = {True: laid.yaw < -FAR_SIDE, False: laid.yaw > FAR_SIDE}[landmark < 8]
    used = np.abs(laid.yaw) < FARTHEST_YAW
    if landmark < JAW.stop and landmark != 8:
        used &= ~far
    labels = laid.labels[used]
    return _distance(laid.pixels[used], corners, labels[:, landmark], box_size(labels))


def _present(model: FaceModel, landmark: int) -> np.ndarray:
    return model.landmarks(model.mean_shape[None])[0, landmark]


def errors(model: FaceModel, placement: Placement, laid: Laid) -> np.ndarray:
    """(F, 68) distance of fixed points from the labels, percent of the face box."""
    points = np.einsum("lc,flcd->fld", placement.weights, laid.pixels[:, model.triangles[placement.triangles]])
    return 100 * np.linalg.norm(points - laid.labels, axis=2) / box_size(laid.labels)[:, None]


def write_markup(file: Path, model: FaceModel, placement: Placement, faces: int) -> None:
    """Write three vertex numbers and three weights for each landmark."""
    content = {
        "schema": SCHEMA,
        "face_model": model.info.name,
        "faces": faces,
        "vertices": model.triangles[placement.triangles].tolist(),
        "weights": placement.weights.round(6).tolist(),
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Place by the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path, help="folder with photos/ and landmarks.npz")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("markup_300w.json"))
    parser.add_argument("--leave-out", action="store_true", help="only print errors, each photo's without its labels")
    arguments = parser.parse_args()
    reconstructor = Reconstructor.load()
    model = reconstructor.face_model
    laid = lay(reconstructor, read_labelled(arguments.labelled))
    if not arguments.leave_out:
        write_markup(arguments.out, model, place_markup(model, laid), len(laid.yaw))
        return
    for name in np.unique(laid.photo):
        out = laid.photo == name
        found = errors(model, place_markup(model, laid.where(~out)), laid.where(out))
        sys.stdout.write(f"{name}: {out.sum()} faces, NME68 {found.mean():.2f}, NME51 {found[:, 17:].mean():.2f}%\n")


if __name__ == "__main__":
    main()
