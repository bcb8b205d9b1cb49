"""Measure the colours of hair that a picture does not show, and whether hair comes through the face.

    python bfm/measure_hair_colours.py makehuman.npz
    python bfm/measure_hair_colours.py makehuman.npz --seed 211 --left-out bob01 braid01 afro01 short03 --light any

Heads wear the styles that are left out of the hair model, in colours and strands made here, in soft light from above
or from a side of their own (any but from behind and from below). A frontal picture is
given to the fit; hair is compared with the truth from behind and from both sides, where both show hair that the picture
did not. Colours are compared as the eye takes them in at a distance, without single strands, which nobody can guess:
blurred by half a centimetre. Beside them stands what the texture of the head alone is filled with there.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from deep3d.camera import Pose, clip_space, depth, place, project
from deep3d.face_model import FaceModel, default_face_model
from deep3d.hair.evidence import Evidence
from deep3d.hair.fit import HairFields, fit_fields
from deep3d.hair.grid import POINTS
from deep3d.hair.head import Head
from deep3d.hair.model import HairModel, hair_model
from deep3d.hair.shell import heights, shell_mesh
from deep3d.hair.shown import Shown
from deep3d.hair.texture import shell_image
from deep3d.mesh import Mesh, vertex_normals, vertex_triangles
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.texture import extract_texture
from deep3d.texture.atlas import vertex_texels
from deep3d.texture.skin_colour import front_of_face
from measure_hair_model import CAMERA, LEFT_OUT, PEOPLE, SAMPLES, SEED, SIZE, _mask, _motion
from recipe.hair import Style, components, random_styles, read_styles

UNSEEN = (90.0, 135.0, 180.0, -135.0, -90.0)  # yaws
BLUR = 5.0  # pixels of a picture, half a centimetre
TEXELS = 512
COLOURS = np.array([[28, 22, 20], [70, 45, 30], [120, 85, 55], [190, 160, 115], [150, 148, 145], [225, 222, 215]])
SKIN = np.array([205.0, 160.0, 140.0])
ELEVATIONS, AZIMUTHS, DIMMEST = (25.0, 90.0), (-120.0, 120.0), (0.45, 0.8)  # of light from any side
CONTRAST, LENGTH = (0.12, 0.25), 14.0  # of strands: of logarithms, and rows over which their brightness stays
INSIDE = 0.01  # decimetres under the skin from which hair comes through a face: a millimetre
OPAQUE = 128
LEAST_PIXELS = 200  # that are compared of one view
COLUMNS = ("colour", "fill", "energy", "true energy", "inside")


@dataclass(frozen=True)
class Light:
    """Soft light on hair and skin, 1 where they face it."""

    direction: np.ndarray  # (3,) unit, toward the light
    dimmest: float  # where they face away

    def on(self, normals: np.ndarray) -> np.ndarray:
        """(N, 1) what is left of a colour at normals (N, 3)."""
        return self.dimmest + (1 - self.dimmest) * (1 + normals @ self.direction[:, None]) / 2


ABOVE = Light(np.array([0.0, 1.0, 0.0]), 0.6)


@dataclass(frozen=True)
class Drawn:
    """What a picture shows of one mesh."""

    colours: np.ndarray  # (SIZE, SIZE, n)
    depth: np.ndarray  # (SIZE, SIZE), infinite beside it
    toward: np.ndarray  # (SIZE, SIZE) how far the surface faces the camera of the frontal picture, -1 to 1


def main() -> None:
    """Read the command line, measure, write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--left-out", nargs="+", default=LEFT_OUT, metavar="STYLE", help="at least two long, two short")
    parser.add_argument("--light", choices=("above", "any"), default="above")
    options = parser.parse_args()
    styles, model = read_styles(options.source), default_face_model()
    rng, known = np.random.default_rng(options.seed), hair_model(model)
    if known is None:
        raise SystemExit("the shipped hair model is not that of the shipped face model; build it again")
    learned = components(random_styles({n: s for n, s in styles.items() if n not in options.left_out}, rng, SAMPLES))
    hair = replace(known, mean=learned["mean"].astype(np.float32), basis=learned["basis"].astype(np.float32))
    worn = random_styles({name: styles[name] for name in options.left_out}, rng, PEOPLE)
    lights = [_any_light(rng) if options.light == "any" else ABOVE for _ in worn]
    measured = [_measured(model, hair, style, light, rng) for style, light in zip(worn, lights)]
    rows = [row for row in measured if row is not None]
    sys.stdout.write(_table(np.array(rows)))


def _measured(
    model: FaceModel, hair: HairModel, style: Style, light: Light, rng: np.random.Generator
) -> list[float] | None:
    """The figures of one head, as `COLUMNS` name them; None for a bald one."""
    vertices = model.neutral_shape(rng.normal(0, 0.7, (1, 80)).astype(np.float32))[0]
    matrix = CAMERA.matrix() @ _motion(0.0)
    thickness, edge = (each.reshape(POINTS).astype(np.float32) for each in (style.thickness, style.edge))
    truth = HairFields(np.clip(thickness, 0, 1), edge, np.ones(POINTS, np.float32))
    worn = shell_mesh(truth, Head.of(vertices, matrix, model, _mask(model, vertices, None), hair), hair.ears)
    if worn is None:
        return None
    painted = _strands(COLOURS[rng.integers(len(COLOURS))], rng)
    skin = SKIN * light.on(model.normals(vertices[None])[0])
    face, front = _skin(model, vertices, skin, 0.0), _shell(worn, painted, 0.0, light)
    shown = front.depth < face.depth
    photo = np.where(shown[..., None], front.colours[..., :3], face.colours)
    photo = np.where(np.isfinite(face.depth)[..., None] | shown[..., None], photo, 90).clip(0, 255).astype(np.uint8)
    mask = _mask(model, vertices, worn)
    head = Head.of(vertices, matrix, model, mask, hair)
    fields = fit_fields([Evidence.of(mask, head)], hair)
    mesh = shell_mesh(fields, head, hair.ears)
    if mesh is None:
        return None
    outer = head.skin + heights(fields, hair.ears)[:, None] * head.directions
    image = shell_image([Shown.of(photo, mask, head, outer)], fields)
    fill = _fill(model, vertices, photo, mask.at(project(vertices[None], CAMERA)[0]))
    colours = [_colours(model, vertices, (worn, painted, light), (mesh, image), fill, yaw) for yaw in UNSEEN]
    ours, theirs, count, made, true = np.array([each for each in colours if each is not None]).T
    seen = _energy(photo, ndimage.binary_erosion(shown, iterations=3))
    return [
        float((ours * count).sum() / count.sum()),
        float((theirs * count).sum() / count.sum()),
        float((made * count).sum() / count.sum()) / seen,
        float((true * count).sum() / count.sum()) / seen,
        _inside(model, vertices, mesh, image),
    ]


def _colours(
    model: FaceModel,
    vertices: np.ndarray,
    truth: tuple[Mesh, np.ndarray, Light],
    made: tuple[Mesh, np.ndarray],
    fill: np.ndarray,
    yaw: float,
) -> tuple[float, ...] | None:
    """Differences of ours and of the fill from the truth at one yaw, pixels compared, gradient energies of both."""
    head = _skin(model, vertices, fill, yaw)
    (worn, painted, light), ours = truth, _shell(*made, yaw)
    true = _shell(worn, painted, yaw, light)
    here = (true.depth < head.depth) & (ours.depth < head.depth) & np.isfinite(head.depth)
    here &= (ours.colours[..., 3] > OPAQUE) & (true.toward < 0)
    inner = ndimage.binary_erosion(here, iterations=3)
    if inner.sum() < LEAST_PIXELS:
        return None
    ours_blurred, true_blurred, fill_blurred = (_blurred(each.colours[..., :3], here) for each in (ours, true, head))
    return (
        np.abs(ours_blurred - true_blurred)[here].mean(),
        np.abs(fill_blurred - true_blurred)[here].mean(),
        here.sum(),
        _energy(ours.colours[..., :3], inner),
        _energy(true.colours[..., :3], inner),
    )


def _blurred(colours: np.ndarray, where: np.ndarray) -> np.ndarray:
    weight = ndimage.gaussian_filter(where.astype(float), BLUR)[..., None]
    return ndimage.gaussian_filter(colours * where[..., None], (BLUR, BLUR, 0)) / np.maximum(weight, 1e-6)


def _energy(colours: np.ndarray, where: np.ndarray) -> float:
    """Mean squared gradient of the logarithm of brightness."""
    light = np.log(colours.astype(float).mean(axis=-1) + 6)
    down, across = np.gradient(light)
    return float((down**2 + across**2)[where].mean())


def _any_light(rng: np.random.Generator) -> Light:
    elevation, azimuth = (np.radians(rng.uniform(*limits)) for limits in (ELEVATIONS, AZIMUTHS))
    level = np.cos(elevation)
    direction = np.array([level * np.sin(azimuth), np.sin(elevation), level * np.cos(azimuth)])
    return Light(direction, float(rng.uniform(*DIMMEST)))


def _strands(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(TEXELS, TEXELS, 4) the disk of a shell in a colour, with strands from its middle outwards."""
    noise = ndimage.gaussian_filter(rng.normal(size=(192, 1024)), (LENGTH, 0.8), mode="wrap")
    rows, columns = (np.indices((TEXELS, TEXELS)) + 0.5) / TEXELS - 0.5
    around = (np.arctan2(columns, rows) / (2 * np.pi) % 1) * 1024
    along = np.hypot(rows, columns) / np.sqrt(0.5) * 191
    strands = ndimage.map_coordinates(noise / noise.std(), [along, around], order=1, mode="grid-wrap")
    shown = (colour + 6) * np.exp(rng.uniform(*CONTRAST) * strands)[..., None] - 6
    return np.dstack([shown.clip(0, 255), np.full(strands.shape, 255.0)])


def _fill(model: FaceModel, vertices: np.ndarray, photo: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """(V, 3) colours of the texture of the head alone."""
    placed = vertices[None].astype(np.float32)
    pixels, away = project(placed, CAMERA)[0], depth(placed, CAMERA)[0]
    texture = extract_texture(photo, placed[0], pixels, away, model, model.mean_albedo.clip(0, 1), 256, masks)
    columns, rows = vertex_texels(model, 256).T
    return texture.image[rows, columns].astype(float)


def _inside(model: FaceModel, vertices: np.ndarray, mesh: Mesh, image: np.ndarray) -> float:
    """Share of the opaque points of the outer side, among those before the face, that lie under its skin."""
    outer = mesh.vertices[: len(mesh.vertices) // 2]  # each point has one under it
    columns, rows = (mesh.uv[: len(outer)] * [TEXELS, -TEXELS] + [0, TEXELS]).astype(int).T
    opaque = image[rows.clip(0, TEXELS - 1), columns.clip(0, TEXELS - 1), 3] > OPAQUE
    distance, nearest = KDTree(vertices).query(outer)
    before = opaque & (model.derived(front_of_face)[nearest] > 0.9) & (distance < 0.3)
    if not before.any():
        return 0.0
    normals = model.normals(vertices[None])[0][nearest]
    return float((((outer - vertices[nearest]) * normals).sum(axis=1) < -INSIDE)[before].mean())


def _skin(model: FaceModel, vertices: np.ndarray, colours: np.ndarray, yaw: float) -> Drawn:
    normals = model.normals(vertices[None])[0]
    return _drawn(vertices, model.triangles, np.column_stack([colours, normals]), yaw)


def _shell(mesh: Mesh, image: np.ndarray, yaw: float, light: Light | None = None) -> Drawn:
    adjacency = vertex_triangles(mesh.triangles, len(mesh.vertices))
    normals = vertex_normals(mesh.vertices[None], mesh.triangles, adjacency)[0]
    shade = light.on(normals) if light else np.ones((len(normals), 1))
    uv = _drawn(mesh.vertices, mesh.triangles, np.column_stack([mesh.uv, shade, normals]), yaw)
    places = [(1 - uv.colours[..., 1]) * TEXELS - 0.5, uv.colours[..., 0] * TEXELS - 0.5]
    colours = [ndimage.map_coordinates(image[..., k].astype(float), places, order=1) for k in range(4)]
    shown = np.stack(colours, axis=-1)
    shown[..., :3] *= uv.colours[..., 2:]
    return replace(uv, colours=shown)


def _drawn(vertices: np.ndarray, triangles: np.ndarray, values: np.ndarray, yaw: float) -> Drawn:
    """Values (V, 6) of a mesh turned by a yaw; the last three are normals."""
    turned = place(vertices[None].astype(np.float32), Pose(yaw, 0, 0).to_rotation()[None], np.zeros((1, 3), np.float32))
    rasterizer = CpuRasterizer()
    clip = clip_space(project(turned, CAMERA), depth(turned, CAMERA), (SIZE, SIZE)).astype(np.float32)
    fragments = rasterizer.rasterize(clip, triangles, (SIZE, SIZE))
    shown = rasterizer.interpolate(values.astype(np.float32)[None], fragments, triangles)[0]
    away = np.where(fragments.triangle[0] >= 0, fragments.depth[0], np.inf)
    return Drawn(shown[..., :3], away, shown[..., 5])


def _table(rows: np.ndarray) -> str:
    ratio = rows[:, 0].sum() / rows[:, 1].sum()
    energy = rows[:, 2]
    lines = [
        f"| {len(rows)} heads | |",
        "|---|---:|",
        f"| mean difference of unseen hair's colour from the truth, 0 to 255 | {rows[:, 0].mean():.1f} |",
        f"| the same of the fill of the head alone | {rows[:, 1].mean():.1f} |",
        f"| the first over the second | {ratio:.2f} |",
        f"| gradient energy over that of the seen hair, median (smallest, largest) | "
        f"{np.median(energy):.2f} ({energy.min():.2f}, {energy.max():.2f}) |",
        f"| heads where it is within 0.5 and 1.5 | {((energy > 0.5) & (energy < 1.5)).sum()} |",
        f"| the same energy of the true hair, median | {np.median(rows[:, 3]):.2f} |",
        f"| heads whose hair comes through the face nowhere by a millimetre | {(rows[:, 4] == 0).sum()} |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
