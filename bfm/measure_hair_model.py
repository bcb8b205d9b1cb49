"""Measure how well hair is fitted whose styles the hair model has not learned from.

    python bfm/measure_hair_model.py makehuman.npz

Two long and two short styles are left out, the model is learned from the others, and heads of made-up people wear
bent, cut and mixed forms of those left out. What a frontal picture shows of such a head is fitted, or what several
do (`--photos 0 75 -75`, degrees of yaw); the silhouettes of head and hair are compared with the truth from all sides.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deep3d.camera import Camera, Pose, clip_space, depth, place, project, rotation_matrix
from deep3d.face_model import FaceModel, default_face_model
from deep3d.hair.evidence import Evidence
from deep3d.hair.fit import HairFields, fit_fields
from deep3d.hair.grid import POINTS
from deep3d.hair.head import Head
from deep3d.hair.mask import DENSITY, REACH, HairMask
from deep3d.hair.model import HairModel, hair_model
from deep3d.hair.shell import shell_mesh
from deep3d.mesh import Mesh
from deep3d.rendering.cpu import CpuRasterizer
from recipe.hair import Style, components, random_styles, read_styles

LEFT_OUT = ("bob01", "long01", "short02", "short04")
SAMPLES, PEOPLE, SEED = 600, 24, 24
YAWS = (0.0, 45.0, 90.0, 180.0)
SIZE = 420  # pixels a side of the pictures
CAMERA = Camera(focal_length_px=1015.0, column=209.5, row=200.0)
SHAPE = int((REACH[1] + REACH[2]) * DENSITY), int(2 * REACH[0] * DENSITY)  # of the mask
CORNER = np.array(REACH[:2])  # decimetres from its first pixel to the middle of the head


@dataclass(frozen=True)
class Wearer:
    """A person with hair."""

    vertices: np.ndarray  # (V, 3) decimetres
    hair: Mesh


def main() -> None:
    """Read the command line, measure, write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--photos", type=float, nargs="+", default=[0.0], metavar="YAW")
    options = parser.parse_args()
    styles, model = read_styles(options.source), default_face_model()
    rng = np.random.default_rng(SEED)
    known = hair_model(model)
    if known is None:
        raise SystemExit("the shipped hair model is not that of the shipped face model; build it again")
    learned = components(random_styles({n: s for n, s in styles.items() if n not in LEFT_OUT}, rng, SAMPLES))
    learned_model = replace(known, mean=learned["mean"].astype(np.float32), basis=learned["basis"].astype(np.float32))
    worn = random_styles({name: styles[name] for name in LEFT_OUT}, rng, PEOPLE)
    overlaps = [_overlaps(model, learned_model, style, options.photos, rng) for style in worn]
    sys.stdout.write(_table(np.array([each for each in overlaps if each is not None])))


def _overlaps(
    model: FaceModel, hair: HairModel, style: Style, photos: list[float], rng: np.random.Generator
) -> list[float] | None:
    """Intersections over unions from each of `YAWS`, by photos of these yaws; None for a bald head."""
    vertices = model.neutral_shape(rng.normal(0, 0.7, (1, 80)).astype(np.float32))[0]
    matrices = [CAMERA.matrix() @ _motion(yaw) for yaw in photos]
    bare = _mask(model, vertices, None)
    truth = HairFields(
        np.clip(style.thickness, 0, 1).reshape(POINTS).astype(np.float32),
        style.edge.reshape(POINTS).astype(np.float32),
        np.ones(POINTS, np.float32),
    )
    worn = shell_mesh(truth, Head.of(vertices, matrices[0], model, bare, hair), hair.ears)
    if worn is None:
        return None
    masks = [_mask(model, vertices, worn, yaw) for yaw in photos]
    heads = [Head.of(vertices, matrix, model, mask, hair) for matrix, mask in zip(matrices, masks)]
    fitted = fit_fields([Evidence.of(mask, head) for mask, head in zip(masks, heads)], hair)
    made = shell_mesh(fitted, heads[0], hair.ears)
    return [_overlap(model, vertices, worn, made, yaw) for yaw in YAWS]


def _overlap(model: FaceModel, vertices: np.ndarray, worn: Mesh, fitted: Mesh | None, yaw: float) -> float:
    head = np.isfinite(_depth(vertices, model.triangles, yaw))
    true = head | np.isfinite(_depth(worn.vertices, worn.triangles, yaw))
    found = head if fitted is None else head | np.isfinite(_depth(fitted.vertices, fitted.triangles, yaw))
    return float((true & found).sum() / (true | found).sum())


def _mask(model: FaceModel, vertices: np.ndarray, worn: Mesh | None, yaw: float = 0.0) -> HairMask:
    """What a picture, by default a frontal one, shows of a head and its hair."""
    step = CAMERA.focal_length_px / CAMERA.distance / DENSITY
    origin = np.array([CAMERA.column, CAMERA.row]) - CORNER * DENSITY * step
    rows, columns = np.indices(SHAPE)
    x, y = (np.rint(index * step + start).astype(int) for index, start in ((columns, origin[0]), (rows, origin[1])))
    inside = (x >= 0) & (y >= 0) & (x < SIZE) & (y < SIZE)
    face = _depth(vertices, model.triangles, yaw)[y.clip(0, SIZE - 1), x.clip(0, SIZE - 1)]
    over = np.full(SHAPE, np.inf)
    if worn is not None:
        over = _depth(worn.vertices, worn.triangles, yaw)[y.clip(0, SIZE - 1), x.clip(0, SIZE - 1)]
    seen = (over < face) & inside
    skin = np.isfinite(face) & ~seen & inside
    hair, nothing = seen.astype(np.float32), np.zeros(seen.shape, np.float32)
    return HairMask(hair, skin.astype(np.float32), inside, nothing, nothing, nothing, nothing, origin, step)


def _depth(vertices: np.ndarray, triangles: np.ndarray, yaw: float) -> np.ndarray:
    """(SIZE, SIZE) depth of a mesh turned by a yaw, infinite beside it."""
    turn = Pose(yaw, 0, 0).to_rotation()[None]
    turned = place(vertices[None].astype(np.float32), turn, np.zeros((1, 3), np.float32))
    clip = clip_space(project(turned, CAMERA), depth(turned, CAMERA), (SIZE, SIZE)).astype(np.float32)
    fragments = CpuRasterizer().rasterize(clip, triangles, (SIZE, SIZE))
    return np.where(fragments.triangle[0] >= 0, fragments.depth[0], np.inf)


def _motion(yaw: float) -> np.ndarray:
    motion = np.eye(4)
    motion[:3, :3] = rotation_matrix(Pose(yaw, 0, 0).to_rotation()[None].astype(np.float64))[0]
    return motion


def _table(overlaps: np.ndarray) -> str:
    rows = [f"| {yaw:.0f} | {column.mean():.3f} | {column.min():.3f} |" for yaw, column in zip(YAWS, overlaps.T)]
    head = f"| yaw, {len(overlaps)} heads | mean overlap | smallest |"
    return "\n".join([head, "|---:|---:|---:|", *rows]) + "\n"


if __name__ == "__main__":
    main()
