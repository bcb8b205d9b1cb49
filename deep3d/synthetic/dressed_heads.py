"""Made-up heads with hair, beards, hats and clothes, seen with what is around them, and the class of each pixel.

They are what a network learns to tell hair from. The crop shows more than the face, as `deep3d.hair` looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deep3d.camera import CROP_SIZE, DEEP3D_CAMERA, clip_space
from deep3d.coefficients import FaceCoefficients
from deep3d.dense.estimator import mesh_maps
from deep3d.dense.layers import CLASSES
from deep3d.dense.maps import MAP_SIZE, SurfaceMaps
from deep3d.dense.views import View
from deep3d.face_model import FaceModel
from deep3d.hair.mask import LOWERED
from deep3d.hair.model import hair_model
from deep3d.lighting import irradiance
from deep3d.synthetic import layers, painting
from deep3d.synthetic.backdrops import random_backdrop
from deep3d.synthetic.dressing import Person, Wardrobe, Worn
from deep3d.synthetic.heads import HeadGenerator, Shots, picture_fragments
from deep3d.synthetic.mapped_heads import GLASSES_TRIANGLES, OCCLUDER_TRIANGLES
from deep3d.synthetic.photography import develop
from deep3d.synthetic.scenes import Scenes, each_array
from deep3d.synthetic.strands import halved, paint_strands
from deep3d.synthetic.surfaces import PICTURE, Surfaces
from deep3d.synthetic.things import CORNERS, MOST_BEHIND

BACKGROUND, SKIN, HAIR, GLASSES, OCCLUDER, BEARD = (
    CLASSES.index(name) for name in ("background", "skin", "hair", "glasses", "occluder", "beard")
)
UNKNOWN = 255  # beyond the photo's edge
WIDE, NARROW, WIDE_SHARE = (0.5, 0.66), (0.66, 1.0), 0.7  # size of the face over that in the usual crop
SHIFT = 12.0  # crop pixels, deviation
EDGED = 0.35  # share of photos that end within the crop
SHAVEN = 0.45  # share of hair in skin from which it is a beard
THINGS_BEHIND = 0.6  # share of pictures


@dataclass(frozen=True)
class DressedHeads:
    """B synthetic photos of the wider crop."""

    crops: np.ndarray  # (B, 224, 224, 3) uint8
    classes: np.ndarray  # (B, S, S) uint8 numbers of `CLASSES`, or UNKNOWN
    start: SurfaceMaps  # of a mesh that is roughly the head's


class DressedHeadGenerator(HeadGenerator):
    """Draws such heads; the same seed gives the same heads."""

    def __init__(
        self, model: FaceModel, seed: int, strips: list[np.ndarray] | None = None, map_size: int = MAP_SIZE
    ) -> None:
        """`strips` are borders of photos to be seen behind some heads: `backdrops.read_strips`."""
        super().__init__(model, seed)
        self._size = map_size
        known = hair_model(model)
        if known is None:
            raise ValueError("model: expected the one that the hair model belongs to")
        self._wardrobe = Wardrobe(model, self._anatomy, known)
        self._strips = strips or []

    def draw_dressed(self, count: int) -> DressedHeads:
        """Draw `count` heads."""
        rng = self._rng
        scenes = self._director.random_scenes(rng, count)
        stubble = np.where(rng.random(count) < 0.15, rng.uniform(0.05, 0.3, count), 0).astype(np.float32)
        bare = replace(scenes.hair, worn=np.zeros(count, bool))
        scenes = replace(scenes, hair=bare, skin=replace(scenes.skin, scalp=stubble))
        shots = self.shoot(scenes)
        views = [random_view(rng) for _ in range(count)]
        pairs = [self._dressed(scenes, shots, b, views[b]) for b in range(count)]
        crops, classes = (np.stack(part) for part in zip(*pairs, strict=True))
        cameras = [view.camera(DEEP3D_CAMERA) for view in views]
        start = mesh_maps(self._model, _roughly(rng, shots.face), cameras, self._size)
        return DressedHeads(crops, classes, start)

    def _photo(self, *_: object) -> np.ndarray:
        """Nothing: `shoot` need not paint what is painted here."""
        return np.empty((0, 0, 3), np.uint8)

    def _dressed(self, scenes: Scenes, shots: Shots, b: int, view: View) -> tuple[np.ndarray, np.ndarray]:
        rng = self._rng
        scene = each_array(scenes, lambda array: array[b : b + 1])
        skin = self._model.albedo(scene.people.albedo)[0]
        cheek = np.median(skin[self._model.skin > 0.95], axis=0)
        hair = np.clip(scene.hair.hair_colour[0], 0.02, 1)
        picture = self._background(each_array(scenes.background, lambda array: array[b]))
        picture = random_backdrop(rng, picture, self._noise, np.stack([hair, cheek]), self._strips)
        picture = np.ascontiguousarray(picture, np.float32)
        classes, depth = self._paint_head(picture, scene, shots.opaque, b, view)
        person = Person(shots.vertices[b], shots.normals[b], scene.standpoints.rotation[0], cheek, hair)
        for worn in self._wardrobe.dress(rng, person):
            self._paint(picture, classes, depth, worn, scene, view)
        over, part = shots.over, shots.over.surfaces
        triangle, weights, nearer = picture_fragments(
            _clip(view, part.pixels[b : b + 1], part.depth[b : b + 1]), part.triangles
        )
        look = part.colours[b], part.grain[b], part.contrast[b], over.opacity[b], over.inside[b]
        fine = self._noise[scene.skin.noise[0]]
        painting.paint_overlay(picture, depth, part.triangles, triangle, weights, nearer, *look, fine)
        kinds = np.full(len(part.triangles) + 1, UNKNOWN, np.uint8)
        (
            kinds[-1 - OCCLUDER_TRIANGLES - GLASSES_TRIANGLES : -1 - OCCLUDER_TRIANGLES],
            kinds[-1 - OCCLUDER_TRIANGLES : -1],
        ) = GLASSES, OCCLUDER
        classes = np.where((kinds[triangle] != UNKNOWN) & (nearer < depth), kinds[triangle], classes)
        photo = develop(picture, each_array(scenes.film, lambda array: array[b]), self._noise)
        return _cut_off(rng, photo, classes if self._size == CROP_SIZE else halved(classes))

    def _paint_head(
        self, picture: np.ndarray, scene: Scenes, opaque: Surfaces, b: int, view: View
    ) -> tuple[np.ndarray, np.ndarray]:
        """Things behind the head, and the head; gives classes and depth (H, W)."""
        clip = _clip(view, opaque.pixels[b : b + 1], opaque.depth[b : b + 1])
        things = opaque.triangles[: MOST_BEHIND * CORNERS if self._rng.random() < THINGS_BEHIND else 0]
        last = len(opaque.triangles) - len(layers.SHELL_TRIANGLES)
        head = opaque.triangles[last - len(self._model.triangles) : last]
        look = opaque.colours[b], opaque.grain[b], opaque.contrast[b], self._noise[scene.skin.noise[0]]
        for part in (things, head):
            triangle, weights, depth = picture_fragments(clip, part)
            painting.paint_surfaces(picture, part, triangle, weights, *look)
        beard = (self._anatomy.beard * scene.skin.beard[0])[self._model.triangles].mean(axis=1)
        kinds = np.append(np.where(beard > SHAVEN, BEARD, SKIN), BACKGROUND).astype(np.uint8)
        return kinds[triangle], depth

    def _paint(
        self, picture: np.ndarray, classes: np.ndarray, depth: np.ndarray, worn: Worn, scene: Scenes, view: View
    ) -> None:
        rng, standpoints = self._rng, scene.standpoints
        vertices = worn.vertices[None].astype(np.float32)
        pixels, far = standpoints.see(vertices)
        normals = np.empty_like(vertices)
        painting.normals_into(vertices, worn.triangles, normals)
        turned = normals @ standpoints.turn.mT
        toward = standpoints.distance[0] * np.array([0, 0, 1]) - (vertices @ standpoints.turn.mT)[0]
        inner = (turned[0] * toward).sum(axis=1) < 0
        light = np.clip(irradiance(turned, scene.lighting)[0], 0.08, None)
        light = light * np.where(inner, 0.55, 1)[:, None]  # it lies in the dark
        band = np.exp(-(((turned[0, :, 1] - 0.7 * scene.key[0, 1]) / 0.15) ** 2))
        attributes = worn.attributes.copy()
        attributes[:, 4:] *= light * (1 + worn.shine * band)[:, None]
        triangle, weights, near = picture_fragments(_clip(view, pixels, far - worn.nearer), worn.triangles)
        moved = worn.ragged * _displacement(rng, self._noise)
        strand, clump = self._noise[rng.integers(0, 3)], self._noise[rng.integers(2, 5)]
        buffers = worn.triangles, triangle, weights, near, attributes, moved
        second = np.asarray(worn.second, np.float32)
        paint_strands(picture, classes, np.uint8(worn.label), depth, *buffers, second, worn.look, strand, clump)


def random_view(rng: np.random.Generator) -> View:
    """A crop much wider than the face's in most cases, about as `deep3d.hair` looks at photos."""
    zoom = rng.uniform(*(WIDE if rng.random() < WIDE_SHARE else NARROW))
    return View.about_the_middle(zoom, rng.normal(0, SHIFT, 2) + [0, LOWERED])


def _clip(view: View, pixels: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Clip coordinates (N, 4) of points at usual crop pixels (1, N, 2)."""
    return clip_space((pixels * view.zoom + view.shift).astype(np.float32), depth, PICTURE)[0].astype(np.float32)


def _roughly(rng: np.random.Generator, face: FaceCoefficients) -> FaceCoefficients:
    """Faces as a regressor might estimate them."""
    count = len(face.rotation)

    def noisy(field: np.ndarray, spread: float) -> np.ndarray:
        return (field + rng.normal(0, spread, field.shape)).astype(np.float32)

    return replace(
        face,
        identity=noisy(0.7 * face.identity, 0.3),
        expression=noisy(face.expression, 0.03),
        rotation=noisy(face.rotation, 0.035),
        translation=noisy(face.translation, 0.02),
        albedo=np.zeros((count, 80), np.float32),
    )


def _displacement(rng: np.random.Generator, noise: np.ndarray) -> np.ndarray:
    """(H, W, 2) float32 of deviation 1, smooth or fine."""
    field = noise[rng.integers(0, len(noise) - 1)]
    parts = []
    for _ in range(2):
        top, left = rng.integers(0, field.shape[0], 2)
        parts.append(np.roll(field, (top, left), axis=(0, 1))[: PICTURE[0], : PICTURE[1]])
    return np.stack(parts, axis=-1)


def _cut_off(rng: np.random.Generator, photo: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A photo (H, W, 3) and its classes (h, w), in some ending within the crop: its border then goes on."""
    if rng.random() > EDGED:
        return photo, classes
    high, wide = classes.shape
    step = len(photo) // high
    top, bottom = int(rng.choice([0, rng.uniform(0, 0.22)]) * high), int(rng.choice([0, rng.uniform(0, 0.3)]) * high)
    left, right = (int(rng.choice([0, rng.uniform(0, 0.22)]) * wide) for _ in range(2))
    rows = np.clip(np.arange(step * high), step * top, step * (high - bottom) - 1)
    columns = np.clip(np.arange(step * wide), step * left, step * (wide - right) - 1)
    known = np.full_like(classes, UNKNOWN)
    known[top : high - bottom, left : wide - right] = classes[top : high - bottom, left : wide - right]
    return photo[rows][:, columns], known
