"""Synthetic photos of heads with exact labels, as alignment would crop them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deep3d.camera import clip_space
from deep3d.coefficients import Array, FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.landmarks import five_points
from deep3d.lighting import irradiance
from deep3d.rendering.kernels import rasterize_into
from deep3d.training import painting, wardrobe
from deep3d.training.anatomy import Anatomy
from deep3d.training.light import gloss, random_lighting
from deep3d.training.photography import develop
from deep3d.training.population import People, random_people
from deep3d.training.surroundings import Surroundings
from deep3d.training.viewpoint import HeadCamera, random_views

LABEL_ROWS = 160  # vertices of the face that the pose label is fitted to
FINE_NOISES = 3  # of the noise bank: what skin and film grain are made of


@dataclass(frozen=True)
class Heads:
    """B synthetic photos and their labels. All numpy, or all torch."""

    crops: Array  # (B, 224, 224, 3) uint8
    vectors: Array  # (B, 257) float32 coefficient vectors
    points: Array  # (B, N, 2) float32 true crop pixels of the dense landmarks, hidden ones too


@dataclass(frozen=True)
class _Look:
    """Everything of one head that the kernels draw."""

    pixels: np.ndarray  # (V, 2)
    depth: np.ndarray  # (V,)
    colours: np.ndarray  # (V, 3)
    grain: np.ndarray  # (V, 2)
    contrast: np.ndarray  # (V,)
    triangles: np.ndarray  # (T, 3)


class HeadGenerator:
    """Draws heads of one face model; the same seed gives the same heads."""

    def __init__(self, model: FaceModel, seed: int, dense_vertices: Sequence[int] = ()) -> None:
        self._model = model
        self._dense = np.asarray(dense_vertices, np.int64)
        self._rng = np.random.default_rng(seed)
        self._noise = painting.noise_bank(self._rng)
        self._surroundings = Surroundings(self._rng, self._noise)
        self._anatomy = Anatomy.of(model)
        self._label_rows = label_rows(model)

    def draw(self, count: int) -> Heads:
        """Draw `count` heads."""
        return self._draw(random_people(self._rng, count, self._model.expression_names))

    def draw_person(self, count: int) -> Heads:
        """Draw one person `count` times: identity and albedo stay, all else changes."""
        people = random_people(self._rng, count, self._model.expression_names)
        identity, albedo = (np.repeat(field[:1], count, axis=0) for field in (people.identity, people.albedo))
        return self._draw(replace(people, identity=identity, albedo=albedo))

    def _draw(self, people: People) -> Heads:
        model, rng, count = self._model, self._rng, len(people.identity)
        neutral = model.neutral_shape(people.identity)
        vertices = neutral + model.expression_offsets(people.expression)
        five = five_points(model.landmarks(vertices))
        views = random_views(rng, vertices, five, self._label_rows)
        albedo = model.albedo(people.albedo)
        normals = np.empty_like(vertices)
        painting.normals_into(vertices, model.triangles, normals)
        normals = normals @ views.turn.mT.astype(np.float32)
        lamps = [random_lighting(rng) for _ in range(count)]
        lighting = np.stack([lamp[0] for lamp in lamps])
        light = irradiance(normals, lighting)
        crops = np.stack(
            [
                self._photo(
                    HeadCamera(vertices[b], views.pixels[b], views.depth[b], views.turn[b]),
                    vertices[b],
                    albedo[b],
                    normals[b],
                    light[b],
                    lamps[b][1],
                )
                for b in range(count)
            ]
        )
        vectors = FaceCoefficients(
            people.identity, people.expression, people.albedo, views.rotation, lighting, views.translation
        ).to_vector()
        return Heads(crops, vectors.astype(np.float32), views.pixels[:, self._dense])

    def _photo(
        self,
        camera: HeadCamera,
        vertices: np.ndarray,
        albedo: np.ndarray,
        normals: np.ndarray,
        light: np.ndarray,
        key: np.ndarray,
    ) -> np.ndarray:
        """One (224, 224, 3) photo of a head, its fields over the vertices given, and the direction of the key light."""
        rng, model, anatomy = self._rng, self._model, self._anatomy
        hair_colour = wardrobe.random_hair_colour(rng)
        beard = anatomy.beard * np.float32(rng.uniform(0.2, 1.0) * (rng.random() < 0.25))
        skin = _mix(albedo, hair_colour * 0.9, beard)
        skin = _mix(skin, hair_colour, anatomy.scalp * np.float32(rng.random()))
        shade = light * (anatomy.openness ** rng.uniform(0.4, 1.2))[:, None]
        if rng.random() < 0.3:
            shade = shade * _cast_shadow(rng, vertices)[:, None]
        oily = gloss(normals, key, rng.gamma(1.5, 0.06), rng.uniform(6, 40)) * (0.3 + 0.7 * model.skin)
        look = _Look(
            pixels=camera.pixels,
            depth=camera.depth,
            colours=skin * shade + oily[:, None],
            grain=anatomy.grain * rng.uniform(0.5, 3),
            contrast=model.skin * np.float32(rng.gamma(2.0, 0.02)) + 0.25 * beard,
            triangles=model.triangles,
        )
        if rng.random() < 0.85:
            hat = rng.random() < 0.12
            colour = rng.uniform(0.02, 0.9, 3) if hat else hair_colour
            look = _with_shell(look, wardrobe.random_hair(rng, anatomy.skull, colour, hat), camera, light.mean())
        picture = self._surroundings.background()
        self._surroundings.clothes(picture, camera.pixels[anatomy.lowest])
        zbuffer = self._paint(picture, look)
        if rng.random() < 0.3:
            self._glasses(picture, zbuffer, camera, vertices)
        if rng.random() < 0.2:
            self._surroundings.obstacle(picture)
        return develop(rng, picture, self._noise[rng.integers(FINE_NOISES)])

    def _paint(self, picture: np.ndarray, look: _Look) -> np.ndarray:
        """Draw the head onto the picture; gives the z-buffer (224, 224)."""
        size = picture.shape[:2]
        clip = clip_space(look.pixels[None], look.depth[None], size)[0].astype(np.float32)
        triangle, zbuffer = np.empty(size, np.int32), np.empty(size, np.float32)
        weights = np.empty((*size, 2), np.float32)
        rasterize_into(clip, look.triangles, triangle, weights, zbuffer)
        fine = self._noise[self._rng.integers(FINE_NOISES)]
        colours = look.colours.astype(np.float32)
        painting.paint_surfaces(picture, look.triangles, triangle, weights, colours, look.grain, look.contrast, fine)
        return zbuffer

    def _glasses(self, picture: np.ndarray, zbuffer: np.ndarray, camera: HeadCamera, vertices: np.ndarray) -> None:
        rng = self._rng
        landmarks = self._model.landmarks(vertices[None])[0]
        eyes = np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])
        ears = np.stack([landmarks[0], landmarks[16]]) + [[-0.02, 0.05, -0.35], [0.02, 0.05, -0.35]]
        glasses = wardrobe.random_glasses(rng, eyes, ears, landmarks[27])
        half_width = max(glasses.width_dm * camera.pixels_per_dm / 2, 0.6)
        behind = zbuffer + np.float32(2e-3)  # rims that touch the skin still show
        for lens in glasses.lenses:
            outline, _ = camera.see(lens)
            reflection = rng.normal(0, 0.3, 2)
            painting.fill_polygon(
                picture, outline, glasses.lens_colour, glasses.lens_opacity, reflection, self._noise[-1]
            )
        for line in glasses.lines:
            pixels, depth = camera.see(line)
            clip = clip_space(pixels[None], depth[None], picture.shape[:2])[0]
            painting.draw_line(picture, pixels, clip[:, 2] / clip[:, 3], behind, half_width, glasses.colour)


def label_rows(model: FaceModel) -> np.ndarray:
    """The vertices, about 160, that the pose label is fitted to."""
    facial = np.flatnonzero((model.skin > 0.9) & (model.mean_shape[:, 2] > np.quantile(model.mean_shape[:, 2], 0.3)))
    return facial[:: max(1, len(facial) // LABEL_ROWS)]


def _with_shell(look: _Look, shell: wardrobe.Shell, camera: HeadCamera, light: float) -> _Look:
    """The head with hair or a hat on."""
    pixels, depth = camera.see(shell.vertices)
    return _Look(
        pixels=np.concatenate([look.pixels, pixels]),
        depth=np.concatenate([look.depth, depth]),
        colours=np.concatenate([look.colours, shell.colours * light]),
        grain=np.concatenate([look.grain, shell.strand]).astype(np.float32),
        contrast=np.concatenate([look.contrast, np.full(len(pixels), shell.streaks)]).astype(np.float32),
        triangles=np.concatenate([look.triangles, shell.triangles + len(look.pixels)]),
    )


def _cast_shadow(rng: np.random.Generator, vertices: np.ndarray) -> np.ndarray:
    """Light left (V,) behind a soft random edge across the head."""
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    along = vertices @ direction - rng.normal(0, 0.5)
    return 1 - rng.uniform(0.2, 0.7) / (1 + np.exp(-along / rng.uniform(0.02, 0.3)))


def _mix(below: np.ndarray, above: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return below + amount[:, None] * (above - below)
