"""Skin and light of a face with known shape: albedo and spherical-harmonics lighting.

The network predicts both from experience; the photo determines their product. Robust least squares over few vertices
and one unknown per coefficient takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deep3d.camera import CROP_SIZE, Camera, place, project
from deep3d.coefficients import ALBEDO_COUNT, LIGHTING_COUNT, FaceCoefficients
from deep3d.face_model import FaceModel, ModelPart
from deep3d.fitting.visible import FACING
from deep3d.lighting import AMBIENT, harmonics
from deep3d.mesh import vertex_normals, vertex_triangles

SAMPLES = 200  # vertices
STEPS = 2
SKIN = 0.5  # of the model's skin map, at least, where colours count
SMALLEST_SPREAD = 0.02  # of colours in [0, 1] about the right ones
FARTHEST = 2.0  # spreads: colours that differ by more are hair, shadows or reflections, and get less weight


@dataclass(frozen=True)
class ColourPriors:
    """Priors of skin and light: deviations about the network's prediction."""

    trust: float = 0.05
    """Weight of each colour: model errors are shared by many."""
    albedo: float = 0.35  # of the model's standard deviations
    lighting: float = 0.2

    @property
    def precision(self) -> np.ndarray:
        """(107,) inverse variances of albedo and light."""
        return np.repeat([self.albedo**-2, self.lighting**-2], [ALBEDO_COUNT, LIGHTING_COUNT])


PRIORS = ColourPriors()


@dataclass(frozen=True)
class Reflectance:
    """Skin and light of one face."""

    albedo: np.ndarray  # (80,)
    lighting: np.ndarray  # (27,)

    @classmethod
    def of(cls, coefficients: FaceCoefficients) -> Reflectance:
        """The skin and light of the first face."""
        return cls(coefficients.albedo[0].astype(np.float64), coefficients.lighting[0].astype(np.float64))

    @property
    def light(self) -> np.ndarray:
        """(3, 9): coefficients of the nine functions for red, green and blue."""
        return self.lighting.reshape(3, 9) + np.eye(1, 9) * AMBIENT

    def apply_step(self, step: np.ndarray) -> Reflectance:
        """The result of a step (107,)."""
        return Reflectance(self.albedo + step[:ALBEDO_COUNT], self.lighting + step[ALBEDO_COUNT:])

    def minus(self, other: Reflectance) -> np.ndarray:
        """(107,) the step from another one to this one."""
        return np.concatenate([self.albedo - other.albedo, self.lighting - other.lighting])


@dataclass(frozen=True)
class SkinPoints:
    """P points of skin."""

    albedo_mean: np.ndarray  # (P, 3)
    albedo_directions: np.ndarray  # (P, 3, 80)

    def albedo(self, reflectance: Reflectance) -> np.ndarray:
        """(P, 3)"""
        offsets = self.albedo_directions.reshape(-1, ALBEDO_COUNT) @ reflectance.albedo.astype(np.float32)
        return self.albedo_mean + offsets.reshape(-1, 3)

    def derivatives(self, reflectance: Reflectance, functions: np.ndarray) -> np.ndarray:
        """Of the colours (P, 3) by the 107 coefficients: (P, 3, 107), with the nine functions (P, 9) of the normals."""
        light, albedo = (functions @ reflectance.light.T).astype(np.float32), self.albedo(reflectance)
        derivatives = np.zeros((*albedo.shape, ALBEDO_COUNT + LIGHTING_COUNT), np.float32)
        np.multiply(self.albedo_directions, light[..., None], out=derivatives[..., :ALBEDO_COUNT])
        for channel in range(3):
            place = ALBEDO_COUNT + 9 * channel
            derivatives[:, channel, place : place + 9] = albedo[:, channel, None] * functions
        return derivatives


@dataclass(frozen=True)
class _Patch:
    """The part of a face model that determines some samples of its skin and their normals."""

    surface: ModelPart  # P vertices
    triangles: np.ndarray  # (T, 3)
    adjacency: np.ndarray  # see mesh.vertex_triangles
    samples: np.ndarray  # (S,) which of the P are samples, evenly thinned
    skin: SkinPoints  # S

    @classmethod
    def of(cls, model: FaceModel) -> _Patch:
        """The samples of a model."""
        rows = np.flatnonzero(model.skin > SKIN)
        rows = rows[:: max(1, len(rows) // SAMPLES)]
        around = np.unique(model.adjacency[rows])
        triangles = model.triangles[around[around < len(model.triangles)]]
        vertices = np.unique(triangles)
        triangles = np.searchsorted(vertices, triangles).astype(np.int32)
        colours = model.albedo_components.of_vertices(rows).basis.reshape(-1, len(rows), 3)
        return cls(
            surface=model.part(vertices),
            triangles=triangles,
            adjacency=vertex_triangles(triangles, len(vertices)),
            samples=np.searchsorted(vertices, rows),
            skin=SkinPoints(model.mean_albedo[rows], np.ascontiguousarray(colours.transpose(1, 2, 0))),
        )


def fit_reflectance(
    crops: Sequence[np.ndarray],
    model: FaceModel,
    coefficients: FaceCoefficients,
    cameras: Sequence[Camera],
    priors: ColourPriors = PRIORS,
) -> FaceCoefficients:
    """The coefficients of B faces, with albedo and light fitted to the colours of their crops (224, 224, 3) uint8 RGB.

    Pose and shape stay as they are; each face is seen by its camera.
    """
    patch = model.derived(_Patch.of)
    placed = place(patch.surface.shape(coefficients), coefficients.rotation, coefficients.translation)
    normals = vertex_normals(placed, patch.triangles, patch.adjacency)[:, patch.samples]
    placed = placed[:, patch.samples]
    vectors = coefficients.to_vector().copy()
    found = FaceCoefficients.from_vector(vectors)
    for number, (crop, camera) in enumerate(zip(crops, cameras, strict=True)):
        pixels = np.rint(project(placed[number : number + 1], camera)[0]).astype(int)
        seen = (normals[number, :, 2] > FACING) & ((pixels >= 0) & (pixels < CROP_SIZE)).all(axis=1)
        points = SkinPoints(patch.skin.albedo_mean[seen], patch.skin.albedo_directions[seen])
        colours = crop[pixels[seen, 1], pixels[seen, 0]] / 255
        fitted = _fitted(
            points, colours, harmonics(normals[number, seen]), Reflectance.of(coefficients[number]), priors
        )
        found.albedo[number], found.lighting[number] = fitted.albedo, fitted.lighting
    return found


def _fitted(
    points: SkinPoints, colours: np.ndarray, functions: np.ndarray, believed: Reflectance, priors: ColourPriors
) -> Reflectance:
    reflectance = believed
    for _ in range(STEPS if len(colours) else 0):
        residual = colours - points.albedo(reflectance) * (functions @ reflectance.light.T)
        root = np.repeat(np.sqrt(colour_weights(residual, colour_spread(residual), priors.trust)), 3).astype(np.float32)
        weighted = points.derivatives(reflectance, functions).reshape(len(root), -1) * root[:, None]
        normal = (weighted.T @ weighted).astype(np.float64) + np.diag(priors.precision)
        gradient = weighted.T @ (root * residual.ravel()) + priors.precision * believed.minus(reflectance)
        reflectance = reflectance.apply_step(np.linalg.solve(normal, gradient))
    return reflectance


def colour_spread(residual: np.ndarray) -> float:
    """The spread of residuals (P, 3): the median distance, in [0, 1]."""
    return max(float(np.median(np.linalg.norm(residual, axis=1))), SMALLEST_SPREAD)


def colour_weights(residual: np.ndarray, spread: float, trust: float) -> np.ndarray:
    """Weights (P,) of the squares of residuals (P, 3), those of Geman and McClure (1987)."""
    distance = np.linalg.norm(residual, axis=1)
    return trust / spread**2 / (1 + (distance / (FARTHEST * spread)) ** 2) ** 2
