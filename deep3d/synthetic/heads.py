"""Synthetic photos of heads with exact labels, cropped like by alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deep3d.arrays import Array
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting.pose import fit_pose
from deep3d.rendering.kernels import rasterize_into
from deep3d.synthetic import layers, painting
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.photography import develop
from deep3d.synthetic.scenes import Background, Director, Scenes, each_array
from deep3d.synthetic.surfaces import PICTURE, Overlay, Surfaces

LABEL_ROWS = 160  # vertices of the face that the pose label is fitted to


@dataclass(frozen=True)
class Heads:
    """B synthetic photos and their labels. All numpy, or all torch."""

    crops: Array  # (B, 224, 224, 3) uint8
    vectors: Array  # (B, 257) float32 coefficient vectors
    points: Array  # (B, N, 2) float32 true crop pixels of the dense landmarks, including hidden ones


@dataclass(frozen=True)
class Shots:
    """B synthetic photos, and their geometry. All numpy."""

    crops: np.ndarray  # (B, 224, 224, 3) uint8
    face: FaceCoefficients  # before the fixed camera
    vertices: np.ndarray  # (B, V, 3) decimetres in head space
    normals: np.ndarray  # (B, V, 3)
    pixels: np.ndarray  # (B, V, 2) crop pixels of the vertices
    opaque: Surfaces
    over: Overlay
    clips: tuple[np.ndarray, np.ndarray]  # (B, N, 4) clip coordinates of both


class HeadGenerator:
    """Draws heads of one face model on the processor; the same seed gives the same heads."""

    def __init__(self, model: FaceModel, seed: int, dense_vertices: Sequence[int] = ()) -> None:
        self._model = model
        self._dense = np.asarray(dense_vertices, np.int64)
        self._rng = np.random.default_rng(seed)
        self._noise = painting.noise_bank(self._rng)
        self._anatomy = Anatomy.of(model)
        self._director = Director(model, self._anatomy.lowest, len(self._noise))
        self._label_rows = label_rows(model)

    def draw(self, count: int) -> Heads:
        """Draw `count` heads."""
        return self.photograph(self._director.random_scenes(self._rng, count))

    def draw_person(self, count: int) -> Heads:
        """Draw one person `count` times: identity and albedo stay, everything else changes."""
        return self.photograph(self._director.scenes_of_one(self._rng, count))

    def draw_expressions(self, expressions: np.ndarray) -> Heads:
        """Draw a head for each expression (B, 64), with a random one where it is NaN."""
        scenes = self._director.random_scenes(self._rng, len(expressions))
        drawn = np.where(np.isnan(expressions), scenes.people.expression, expressions).astype(np.float32)
        return self.photograph(replace(scenes, people=replace(scenes.people, expression=drawn)))

    def photograph(self, scenes: Scenes) -> Heads:
        """Photos of scenes, and their labels."""
        shot = self.shoot(scenes)
        return Heads(shot.crops, shot.face.to_vector(), shot.pixels[:, self._dense])

    def shoot(self, scenes: Scenes, displacements: np.ndarray | None = None) -> Shots:
        """Photos of scenes and their geometry, with heads displaced by (B, V, 3) decimetres."""
        model, people, standpoints = self._model, scenes.people, scenes.standpoints
        vertices = model.neutral_shape(people.identity) + model.expression_offsets(people.expression)
        if displacements is not None:
            vertices = vertices + displacements
        normals = np.empty_like(vertices)
        painting.normals_into(vertices, model.triangles, normals)
        opaque = layers.opaque_layer(model, self._anatomy, scenes, vertices, normals)
        over = layers.overlay(model, self._anatomy, scenes, vertices)
        clips = opaque.clip, over.surfaces.clip
        crops = np.stack([self._photo(scenes, opaque, over, clips, b) for b in range(len(vertices))])
        pixels, _ = standpoints.see(vertices)
        rows = self._label_rows
        rotation, translation = fit_pose(vertices[:, rows], pixels[:, rows], standpoints.rotation)
        face = FaceCoefficients(
            people.identity, people.expression, people.albedo, rotation, scenes.lighting, translation
        )
        return Shots(crops, face, vertices, normals, pixels, opaque, over, clips)

    def _photo(
        self, scenes: Scenes, opaque: Surfaces, over: Overlay, clips: tuple[np.ndarray, np.ndarray], b: int
    ) -> np.ndarray:
        """Photo (224, 224, 3) of scene `b` from its layers, whose clip coordinates are (B, N, 4)."""
        fine = self._noise[scenes.skin.noise[b]]
        picture = self._background(each_array(scenes.background, lambda array: array[b]))
        triangle, weights, depth = picture_fragments(clips[0][b], opaque.triangles)
        look = (opaque.colours[b], opaque.grain[b], opaque.contrast[b])
        painting.paint_surfaces(picture, opaque.triangles, triangle, weights, *look, fine)
        surfaces = over.surfaces
        triangle, weights, nearer = picture_fragments(clips[1][b], surfaces.triangles)
        look = (surfaces.colours[b], surfaces.grain[b], surfaces.contrast[b], over.opacity[b], over.inside[b])
        painting.paint_overlay(picture, depth, surfaces.triangles, triangle, weights, nearer, *look, fine)
        return develop(picture, each_array(scenes.film, lambda array: array[b]), self._noise)

    def _background(self, background: Background) -> np.ndarray:
        """The background (224, 224, 3) of one scene."""
        picture = np.empty((*PICTURE, 3), np.float32)
        noise = self._noise[background.noise]
        painting.fill_background(
            picture, background.corners, noise, background.zoom, background.amount, background.offset
        )
        return picture


def label_rows(model: FaceModel) -> np.ndarray:
    """The vertices, about 160, that the pose label is fitted to."""
    facial = np.flatnonzero((model.skin > 0.9) & (model.mean_shape[:, 2] > np.quantile(model.mean_shape[:, 2], 0.3)))
    return facial[:: max(1, len(facial) // LABEL_ROWS)]


def picture_fragments(clip: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangle (224, 224), weights (224, 224, 2) and depth (224, 224) of one picture of clip coordinates (N, 4)."""
    triangle, depth = np.empty(PICTURE, np.int32), np.empty(PICTURE, np.float32)
    weights = np.empty((*PICTURE, 2), np.float32)
    rasterize_into(clip, triangles, triangle, weights, depth)
    return triangle, weights, depth
