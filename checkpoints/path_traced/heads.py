"""Make path-traced heads for `deep3d train refiner`: python checkpoints/path_traced/heads.py --out runs/traced.

The people are those of `deep3d/synthetic`, with shapes beyond the linear model, dressed as `dressed_heads.py` dresses
them. Light falls on them through windows and from lamps, enters their skin, and casts shadows. Stop at any time; the
same command resumes. checkpoints/README.md says how to install Blender's package.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from head_targets import HeadTargets
from light import exposed, random_sky
from rich.console import Console
from scipy.ndimage import gaussian_filter
from skin import Complexion, fine_details
from studio import SIZE, Lens, Piece, Studio, sky_directions

from deep3d.camera import FAR, NEAR, clip_space
from deep3d.dense.layers import CLASSES
from deep3d.errors import Deep3DError
from deep3d.face_model import FaceModel, read_face_model
from deep3d.hair.model import hair_model
from deep3d.network.checkpoints import read_checkpoint
from deep3d.synthetic import painting
from deep3d.synthetic.backdrops import random_backdrop
from deep3d.synthetic.dressing import Person, Wardrobe, Worn
from deep3d.synthetic.heads import HeadGenerator, Shots, picture_fragments
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.synthetic.people.region_shapes import RegionShapes
from deep3d.synthetic.photography import develop
from deep3d.synthetic.scenes import Scenes, each_array
from deep3d.training.traced import CHUNK, TracedHeads, traced_file, write_traced

SKY_ROWS = 96
FREE = 0.8  # of the displacements of `free_shapes`
OTHER_REGIONS, REGIONS = 0.15, 0.7  # share of heads that also have those of `region_shapes`, and how much of them
WEARING = 0.5  # share of heads with MakeHuman's targets, where there are any, and half of the other displacements
HIDDEN = 0.03  # decimetres behind what is seen from which a landmark is hidden
LASHES = 0.6  # of the opacity of plainly drawn heads
STUBBLY = 0.15  # share of people with a shaven scalp that shows
OPAQUE = 0.8  # what is worn hides landmarks from this opacity on
DRESSINGS, SHOWN = 5, 0.88  # tries, and the least share of the landmarks that hair and hats leave free
COVERING = CLASSES.index("hair"), CLASSES.index("hat")
CLOTH = CLASSES.index("clothes"), CLASSES.index("hat")


class PathTracedHeads(HeadGenerator):
    """Draws heads of one face model and has them path-traced; the same seed gives the same heads."""

    def __init__(
        self,
        model: FaceModel,
        dense: tuple[int, ...],
        scratch: Path,
        samples: int,
        threads: int,
        targets: HeadTargets | None = None,
    ) -> None:
        """`targets` are displacements for half of the heads."""
        super().__init__(model, 0, dense)
        self._targets = targets
        known = hair_model(model)
        if known is None:
            raise SystemExit("bfm: the hair model belongs to another face model; get the files again")
        self._wardrobe = Wardrobe(model, self._anatomy, known)
        self._free, self._regions = FreeShapes.of(model), RegionShapes.of(model)
        self._look = Complexion(model)
        uv = model.uv[model.uv_triangles]
        self._studio = Studio(
            model.triangles, uv, list(fine_details(np.random.default_rng(1))), self._noise[0], samples, threads
        )
        self._scratch = scratch
        self._directions = sky_directions(SKY_ROWS)

    def draw_traced(self, seed: int, count: int) -> TracedHeads:
        """`count` heads of a seed."""
        rng = self._rng = np.random.default_rng(seed)
        scenes = self._director.random_scenes(rng, count)
        stubble = np.where(rng.random(count) < STUBBLY, rng.uniform(0.05, 0.3, count), 0).astype(np.float32)
        scenes = replace(
            scenes,
            hair=replace(scenes.hair, worn=np.zeros(count, bool)),
            skin=replace(scenes.skin, scalp=stubble),
            eyes=replace(scenes.eyes, lash_opacity=LASHES * scenes.eyes.lash_opacity, glint=0 * scenes.eyes.glint),
            standpoints=replace(scenes.standpoints, barrel=np.zeros(count, np.float32)),
        )
        shots = self.shoot(scenes, self._displacements(count))
        photos, visible = zip(*(self._traced(scenes, shots, b, seed) for b in range(count)), strict=True)
        vectors = replace(shots.face, lighting=np.full((count, 27), np.nan, np.float32)).to_vector()
        return TracedHeads(np.stack(photos), vectors, shots.pixels[:, self._dense], np.stack(visible))

    def _displacements(self, count: int) -> np.ndarray:
        """(B, V, 3) decimetres that heads leave the linear model by."""
        rng = self._rng
        displaced = FREE * self._free.draw(rng, count)
        displaced += (rng.random(count) < OTHER_REGIONS)[:, None, None] * REGIONS * self._regions.draw(rng, count)
        if self._targets is not None:
            wearing = (rng.random(count) < WEARING)[:, None, None]
            displaced += wearing * (self._targets.draw(rng, count) - 0.5 * displaced)
        return displaced

    def _photo(self, *_: object) -> np.ndarray:
        """Nothing: `shoot` need not paint what is path-traced here."""
        return np.empty((0, 0, 3), np.uint8)

    def _traced(self, scenes: Scenes, shots: Shots, b: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Photo (SIZE, SIZE, 3) of head `b`, and which of its dense landmarks are visible."""
        rng, model = self._rng, self._model
        scene = each_array(scenes, lambda array: array[b : b + 1])
        turn = scene.standpoints.turn[0]
        skin = self._look.draw(rng, scene, shots.vertices[b] @ turn.T)
        cheek = np.median(skin.albedo[model.skin > 0.95], axis=0) ** (1 / 2.2)
        hair = np.clip(scene.hair.hair_colour[0], 0.02, 1)
        person = Person(shots.vertices[b], shots.normals[b], scene.standpoints.rotation[0], cheek, hair)
        worn = self._dressed(scene, shots, b, person)
        pieces = [piece for piece in (_piece(rng, each, turn) for each in worn) if len(piece.triangles)]
        sky = random_sky(rng, self._directions)
        radiance, covered = self._studio.photograph(
            skin, pieces, sky, _lens(scene), (seed * CHUNK + b) % 2**31, self._scratch
        )
        picture = self._background(each_array(scenes.background, lambda array: array[b]))
        picture = random_backdrop(rng, picture, self._noise, np.stack([hair, cheek]), [])
        skin_seen = self._depth(scene, shots.vertices[b : b + 1], model.triangles)[1]
        picture = exposed(rng, radiance, covered, skin_seen >= 0, gaussian_filter(picture, (*2 * [rng.gamma(1, 2)], 0)))
        depth = self._worn_depth(scene, shots, b, worn)
        visible = self._visible(scene, shots, b, depth)
        over, part = shots.over, shots.over.surfaces
        triangle, weights, nearer = picture_fragments(shots.clips[1][b], part.triangles)
        look = part.colours[b], part.grain[b], part.contrast[b], over.opacity[b], over.inside[b]
        fine = self._noise[scene.skin.noise[0]]
        painting.paint_overlay(picture, depth, part.triangles, triangle, weights, nearer, *look, fine)
        film = each_array(scenes.film, lambda array: array[b])
        return develop(picture, replace(film, gain=1 + 0.3 * (film.gain - 1)), self._noise), visible

    def _dressed(self, scene: Scenes, shots: Shots, b: int, person: Person) -> list[Worn]:
        """What a person wears, drawn again while hair or a hat covers too much of the face."""
        bare = self._visible(scene, shots, b, self._worn_depth(scene, shots, b, [])).sum()
        for _ in range(DRESSINGS):
            worn = list(self._wardrobe.dress(self._rng, person))
            covering = [each for each in worn if each.label in COVERING]
            if self._visible(scene, shots, b, self._worn_depth(scene, shots, b, covering)).sum() > SHOWN * bare:
                return worn
        return [each for each in worn if each.label not in COVERING]

    def _depth(self, scene: Scenes, vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Depth and triangle (SIZE, SIZE) of what vertices (1, N, 3) in head space show."""
        pixels, far = scene.standpoints.see(vertices.astype(np.float32))
        clip = clip_space(pixels, far, (SIZE, SIZE))[0].astype(np.float32)
        triangle, _, depth = picture_fragments(clip, triangles)
        return depth, triangle

    def _worn_depth(self, scene: Scenes, shots: Shots, b: int, worn: list[Worn]) -> np.ndarray:
        """Depth (SIZE, SIZE) of the head and of what is surely before it."""
        depth, _ = self._depth(scene, shots.vertices[b : b + 1], self._model.triangles)
        for each in worn:
            inner = each.triangles[(each.attributes[each.triangles, 0] > 0).all(axis=1)]
            if len(inner) and each.look[0] > OPAQUE:
                depth = np.minimum(depth, self._depth(scene, each.vertices[None], inner)[0])
        return depth

    def _visible(self, scene: Scenes, shots: Shots, b: int, depth: np.ndarray) -> np.ndarray:
        """Which of the dense landmarks nothing hides."""
        points = shots.vertices[b : b + 1, self._dense]
        pixels, far = (each[0] for each in scene.standpoints.see(points))
        column, row = np.round(pixels).astype(int).T
        inside = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
        clip = _window_depth(depth[np.clip(row, 0, SIZE - 1), np.clip(column, 0, SIZE - 1)])
        return inside & (far < clip + HIDDEN)


def _piece(rng: np.random.Generator, worn: Worn, turn: np.ndarray) -> Piece:
    """A worn grid as the path tracer takes it, with the camera's axes."""
    attributes = worn.attributes
    opacity, contrast, ragged, soft, _ = worn.look
    colours = np.clip(attributes[:, 4:], 0.004, 1) ** 2.2
    colours = colours * (1 + np.clip(attributes[:, 3:4], 0, 1) * (np.asarray(worn.second) ** 2.2 - 1))
    strand = np.concatenate([attributes[:, :1], attributes[:, 1:3]], axis=1)
    rough = rng.uniform(0.6, 0.95) if worn.label in CLOTH else rng.uniform(0.35, 0.6)
    look = (float(opacity), float(contrast), float(ragged), float(soft))
    reaches = attributes[:, 0] + 3 * ragged + soft > 0
    triangles = worn.triangles[reaches[worn.triangles].any(axis=1)]  # rays need not pass those that nobody sees
    return Piece(worn.vertices @ turn.T, triangles, strand, np.clip(colours, 0.002, 0.9), look, rough)


def _lens(scene: Scenes) -> Lens:
    """The camera of a scene of one."""
    at = scene.standpoints
    aside, column, row = at.aside[0], float(at.offset[0, 0]), float(at.offset[0, 1])
    return Lens((-float(aside[0]), -float(aside[1]), float(at.distance[0])), float(at.scale[0]), column, row)


def _window_depth(depth: np.ndarray) -> np.ndarray:
    """Decimetres of depths as the rasteriser has them."""
    return 2 * FAR * NEAR / (FAR + NEAR - depth * (FAR - NEAR))


def main() -> None:
    """Write files of heads until there are as many as wanted."""
    parser = argparse.ArgumentParser(description="Make path-traced heads for `deep3d train refiner`.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the files; those in it are kept")
    parser.add_argument("--heads", type=int, default=4096, help=f"how many, rounded up to {CHUNK}; by default 4096")
    parser.add_argument("--seed", type=int, default=0, help="each gives other heads; by default 0")
    parser.add_argument(
        "--makehuman", type=Path, help="folder mpfb2 of MakeHuman's data, whose targets half of them wear"
    )
    parser.add_argument("--samples", type=int, default=6, help="paths per pixel, before noise is removed; by default 6")
    parser.add_argument("--threads", type=int, default=1, help="of the path tracer; by default 1")
    call = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        call.out.mkdir(parents=True, exist_ok=True)
        checkpoint, model = read_checkpoint(None), read_face_model()
        targets = HeadTargets.of(model, call.makehuman) if call.makehuman else None
        scratch = call.out / "picture.exr"
        artist = PathTracedHeads(model, tuple(checkpoint.dense_vertices), scratch, call.samples, call.threads, targets)
        for number in range(-(-call.heads // CHUNK)):
            path = traced_file(call.out, number)
            if not path.exists():
                began = time.monotonic()
                write_traced(path, artist.draw_traced(call.seed * 100_003 + number, CHUNK))
                console.print(f"{path}: {CHUNK} heads, {(time.monotonic() - began) / CHUNK:.1f} s each")
        scratch.unlink(missing_ok=True)
    except (Deep3DError, OSError) as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit("stopped; the same command resumes") from None


if __name__ == "__main__":
    main()
