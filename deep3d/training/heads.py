"""Synthetic photos of heads with exact labels, as alignment would crop them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.camera import CROP_SIZE, clip_space
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.landmarks import five_points
from deep3d.lighting import irradiance
from deep3d.rendering.kernels import rasterize_into
from deep3d.training import painting, wardrobe
from deep3d.training.anatomy import Anatomy
from deep3d.training.light import gloss, random_lighting
from deep3d.training.photography import develop
from deep3d.training.population import random_people
from deep3d.training.viewpoint import HeadCamera, random_views

LABEL_ROWS = 160  # vertices of the face that the pose label is fitted to


@dataclass(frozen=True)
class Heads:
    """B synthetic photos and their labels."""

    crops: np.ndarray  # (B, 224, 224, 3) uint8
    vectors: np.ndarray  # (B, 257) float32 coefficient vectors


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

    def __init__(self, model: FaceModel, seed: int) -> None:
        self._model = model
        self._rng = np.random.default_rng(seed)
        self._noise = painting.noise_bank(self._rng)
        self._anatomy = Anatomy.of(model)
        facial = np.flatnonzero(
            (model.skin > 0.9) & (model.mean_shape[:, 2] > np.quantile(model.mean_shape[:, 2], 0.3))
        )
        self._label_rows = facial[:: max(1, len(facial) // LABEL_ROWS)]

    def draw(self, count: int) -> Heads:
        """Draw `count` heads."""
        model, rng = self._model, self._rng
        people = random_people(rng, count, model.expression_names)
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
        return Heads(crops, vectors.astype(np.float32))

    def _photo(self, camera: HeadCamera, vertices, albedo, normals, light, key) -> np.ndarray:
        """One (224, 224, 3) photo of a head, its fields over the vertices given, and the direction of the key light."""
        rng, model = self._rng, self._model
        hair_colour = wardrobe.random_hair_colour(rng)
        skin_colour, stubble = self._dress(rng, albedo, hair_colour)
        shade = light * (self._anatomy.openness ** rng.uniform(0.4, 1.2))[:, None]
        if rng.random() < 0.3:
            shade = shade * _cast_shadow(rng, vertices)[:, None]
        oily = gloss(normals, key, rng.gamma(1.5, 0.06), rng.uniform(6, 40)) * (0.3 + 0.7 * model.skin)
        colours = skin_colour * shade + oily[:, None]
        contrast = model.skin * np.float32(rng.gamma(2.0, 0.02)) + stubble
        look = _Look(
            camera.pixels, camera.depth, colours, self._anatomy.grain * rng.uniform(0.5, 3), contrast, model.triangles
        )
        if rng.random() < 0.85:
            hat = rng.random() < 0.12
            colour = rng.uniform(0.02, 0.9, 3) if hat else hair_colour
            look = _with_shell(look, wardrobe.random_hair(rng, self._anatomy.skull, colour, hat), camera, light.mean())
        picture, zbuffer = self._scene(rng, look, camera)
        if rng.random() < 0.3:
            self._glasses(rng, picture, zbuffer, camera, vertices)
        if rng.random() < 0.2:
            self._occluder(rng, picture)
        return develop(rng, picture, self._noise[rng.integers(3)])

    def _dress(self, rng: np.random.Generator, albedo: np.ndarray, hair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The albedo with a full beard and a tinted scalp at times, and how rough the beard makes the skin."""
        beard = np.float32(rng.uniform(0.2, 1.0) * (rng.random() < 0.25))
        colours = _mix(albedo, hair * 0.9, self._anatomy.beard * beard)
        colours = _mix(colours, hair, self._anatomy.scalp * np.float32(rng.random()))
        return colours, self._anatomy.beard * (0.25 * beard)

    def _scene(self, rng, look: _Look, camera) -> tuple[np.ndarray, np.ndarray]:
        size = (CROP_SIZE, CROP_SIZE)
        picture = np.empty((*size, 3), np.float32)
        noise = self._noise[rng.integers(len(self._noise))]
        base = rng.uniform(0.05, 0.95) + rng.normal(0, 0.12, 3)
        corners = base + rng.normal(0, rng.uniform(0, 0.25), (2, 2, 1)) + rng.normal(0, 0.05, (2, 2, 3))
        amount = rng.gamma(1.0, 0.08) * (1 + rng.normal(0, 0.3, 3))
        painting.fill_background(
            picture, corners, noise, np.exp(rng.uniform(-3.5, 0)), amount, rng.uniform(0, painting.NOISE_SIZE, 2)
        )
        for _ in range(rng.poisson(2.0)):
            self._patch(rng, picture, rng.uniform(-40, 264, 2), rng.uniform(10, 120))
        self._clothes(rng, picture, camera)
        clip = clip_space(look.pixels[None], look.depth[None], size)[0]
        triangle, zbuffer = np.empty(size, np.int32), np.empty(size, np.float32)
        weights = np.empty((*size, 2), np.float32)
        rasterize_into(clip.astype(np.float32), look.triangles, triangle, weights, zbuffer)
        fine = self._noise[rng.integers(3)]
        painting.paint_surfaces(
            picture, look.triangles, triangle, weights, look.colours.astype(np.float32), look.grain, look.contrast, fine
        )
        return picture, zbuffer

    def _patch(self, rng, picture, middle, radius, colour=None, opacity=1.0) -> None:
        """One random blob or polygon."""
        corners = rng.integers(3, 12)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 7 else np.linspace(0, 6.2, corners)
        reach = radius * rng.uniform(0.5, 1.2, corners)
        polygon = middle + np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None] * rng.uniform(0.4, 1.6, 2)
        colour = _any_colour(rng) if colour is None else colour
        painting.fill_polygon(
            picture, polygon, colour, opacity, rng.normal(0, 0.2, 2), self._noise[rng.integers(len(self._noise))]
        )

    def _clothes(self, rng, picture, camera) -> None:
        """Shoulders and a collar below the neck, in picture space."""
        bottom = camera.pixels[self._anatomy.lowest]
        wide, height = rng.uniform(80, 200), rng.uniform(5, 45)
        neck = bottom[1] - rng.uniform(-5, 30)
        xs = np.array([-wide, -wide * 0.8, -28, 28, wide * 0.8, wide]) + bottom[0]
        ys = np.array([400, neck + height, neck, neck, neck + height, 400])
        noise = self._noise[rng.integers(len(self._noise))]
        painting.fill_polygon(picture, np.stack([xs, ys], axis=1), _any_colour(rng), 1.0, rng.normal(0, 0.2, 2), noise)
        if rng.random() < 0.5:  # an open collar or a tie
            half = rng.uniform(8, 40)
            triangle = np.array(
                [[bottom[0] - half, neck], [bottom[0] + half, neck], [bottom[0], neck + rng.uniform(20, 120)]]
            )
            painting.fill_polygon(picture, triangle, _any_colour(rng), 1.0, np.zeros(2), noise)

    def _glasses(self, rng, picture, zbuffer, camera, vertices) -> None:
        landmarks = self._model.landmarks(vertices[None])[0]
        eyes = np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])
        ears = np.stack([landmarks[0], landmarks[16]]) + [[-0.02, 0.05, -0.35], [0.02, 0.05, -0.35]]
        glasses = wardrobe.random_glasses(rng, eyes, ears, landmarks[27])
        half_width = max(glasses.width_dm * camera.pixels_per_dm / 2, 0.6)
        far_side = zbuffer + np.float32(2e-3)
        for lens in glasses.lenses:
            pixels, _ = camera.see(lens)
            painting.fill_polygon(
                picture, pixels, glasses.lens_colour, glasses.lens_opacity, rng.normal(0, 0.3, 2), self._noise[-1]
            )
        for line in glasses.lines:
            pixels, depth = camera.see(line)
            z = clip_space(pixels[None], depth[None], (CROP_SIZE, CROP_SIZE))[0]
            painting.draw_line(picture, pixels, z[:, 2] / z[:, 3], far_side, half_width, glasses.colour)

    def _occluder(self, rng, picture) -> None:
        """A hand, a microphone, a phone, another person: one or two patches somewhere on the face."""
        colour = rng.uniform([0.3, 0.2, 0.15], [0.95, 0.75, 0.65]) if rng.random() < 0.5 else None
        for _ in range(rng.integers(1, 3)):
            self._patch(rng, picture, rng.uniform(20, 204, 2), rng.uniform(12, 55), colour)


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


def _any_colour(rng: np.random.Generator) -> np.ndarray:
    """(3,) sRGB: mostly muted, sometimes bright."""
    return np.clip(rng.uniform(0, 1) + rng.normal(0, rng.choice([0.03, 0.12, 0.35]), 3), 0, 1)


def _mix(below: np.ndarray, above: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return below + amount[:, None] * (above - below)
