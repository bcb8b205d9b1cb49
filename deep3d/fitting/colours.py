"""The colours of a photo as a cue: a robust distance between its colours and the face model's at visible points.

The derivatives are short formulas: of the photo along the motion of the points, of the light along the rotation of
their normals (Blanz and Vetter, 1999). Less light arrives beside the nose and below the brows, as on the mean head
(ambient occlusion). Its strength is another unknown, because a lamp is occluded differently from a sky.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numba
import numpy as np

from deep3d.coefficients import LIGHTING_COUNT
from deep3d.face_model import FaceModel
from deep3d.fitting.iteration import POSE, FaceState, LandmarkView, project_landmarks
from deep3d.fitting.reflectance import ColourPriors, Reflectance, SkinPoints, colour_spread, colour_weights
from deep3d.fitting.unknowns import COLOURS, Equations, FittedFace
from deep3d.fitting.visible import VisibleSurface
from deep3d.lighting import harmonics, harmonics_by_normal
from deep3d.rendering.openness import sky_visibility
from deep3d.texture.blur import gaussian

OCCLUSION, OCCLUSION_SPREAD = 0.6, 0.5
"""Prior mean and deviation of the exponent of the sky's visibility that scales the light. With almost no prior, tuning
portraits had 0.62, and between 0.4 and 0.9."""
DARKEST = 0.1  # visibility of the sky, at least: laughing mouths are more open than the mean head's
UNSEEN_LIGHT = 0.05
"""Deviation of the light on normals that the camera does not see (1 is white) from the network's prediction. The photo
does not determine it, and it could become negative in some channel."""
BLUR = 0.7  # crop pixels: so that derivatives of the photo are valid for the points' steps, and still show detail
DRAWN_WELL = 0.07
"""Spread of colour residuals in [0, 1] at which colours have weight 1; with half the spread they have four times that.

Model errors are shared by many pixels, while noise is independent in each.
"""
EVEN = 0.6
"""Light on the darkest tenth of the skin over that on the brightest, at least, for colours to be believed in full.

Under one hard lamp it is 0.3, and what the model cannot draw, cast shadows above all, would be taken for shape.
"""
SHADOWED = 2.0  # power of the light that reaches a point by which its colour counts
LARGEST_TRUST = 0.25  # however small the spread: under a lamp, wrong skin and shape fit well, too


class SmoothPhoto:
    """A blurred crop with sub-pixel samples."""

    def __init__(self, crop: np.ndarray) -> None:
        smooth = gaussian(crop.astype(np.float32) / 255, BLUR)
        down, across = np.gradient(smooth, axis=(0, 1))
        self._planes = np.concatenate([smooth, across, down], axis=2)

    def sample(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colours (P, 3) and their derivatives (P, 3, 2) by column and row at (P, 2) pixels."""
        seen = np.empty((len(pixels), 9), np.float32)
        _sample(self._planes, pixels, seen)
        return seen[:, :3], seen[:, 3:].reshape(-1, 2, 3).mT


@dataclass(frozen=True, eq=False)
class ColourCue:
    """The colours of a crop."""

    photo: SmoothPhoto
    model: FaceModel
    believed: Reflectance  # by the network
    priors: ColourPriors

    def equations(self, surface: VisibleSurface, face: FittedFace) -> Equations:
        """The equations of a step of all unknowns, with the priors of skin, light and occlusion.

        Shading does not move displacements: they are left to geometric cues.
        """
        skin, sky = self._skin(surface)
        linear = surface.points.linear
        view = project_landmarks(surface.linear_points, face.state.knowing(linear))
        colours, slopes = self.photo.sample(view.pixels[0])
        normals = surface.turned_normals(face.state)
        openness, albedo = np.exp(face.occlusion * sky)[:, None], skin.albedo(face.skin)
        functions = openness * harmonics(normals)
        light = functions @ face.skin.light.T
        drawn = albedo * light
        residual = colours - drawn  # to be explained by a step
        root = np.sqrt(_weights(residual, self.priors.trust) * surface.lit**SHADOWED * trust_in(light))
        jacobian = np.empty((len(sky), 3, POSE + linear + COLOURS), np.float32)
        by_normal = (openness * albedo)[..., None] * (face.skin.light @ harmonics_by_normal(normals))  # (P, 3, 3)
        self._by_geometry(surface, face, view, slopes, by_normal, normals, jacobian)
        jacobian[..., -COLOURS:-1] = skin.derivatives(face.skin, functions)
        jacobian[..., -1] = drawn * sky[:, None]
        jacobian *= root[:, None, None].astype(np.float32)
        flat = jacobian.reshape(-1, jacobian.shape[2])
        told = (flat.T @ (root[:, None] * residual).ravel().astype(np.float32)).astype(np.float64)
        unknowns = POSE + face.state.shape.shape[1] + COLOURS
        places = np.concatenate([np.arange(POSE + linear), np.arange(unknowns - COLOURS, unknowns)])
        own = Equations((flat.T @ flat).astype(np.float64), told).at(places, unknowns)
        return self._with_priors(own, face)

    def difference(self, surface: VisibleSurface, face: FittedFace) -> float:
        """Mean distance of the face's colours from those of the photo, in [0, 1]."""
        skin, sky = self._skin(surface)
        view = project_landmarks(surface.linear_points, face.state.knowing(surface.points.linear))
        colours, _ = self.photo.sample(view.pixels[0])
        light = harmonics(surface.turned_normals(face.state)) @ face.skin.light.T
        return float(np.abs(colours - np.exp(face.occlusion * sky)[:, None] * skin.albedo(face.skin) * light).mean())

    def _skin(self, surface: VisibleSurface) -> tuple[SkinPoints, np.ndarray]:
        """Albedo, and the logarithm of the sky's visibility (P,), of the points."""
        return surface.derived(self._skin_of)

    def _skin_of(self, surface: VisibleSurface) -> tuple[SkinPoints, np.ndarray]:
        corners, weights = surface.corners, surface.weights
        values, sky = self.model.derived(_albedo_values), self.model.derived(_log_sky)
        mean = (self.model.mean_albedo[corners] * weights[..., None]).sum(axis=1)
        albedos = blended(values, corners, weights) * self.model.albedo_components.scale
        return SkinPoints(mean, albedos), (sky[corners] * weights).sum(axis=1)

    def _by_geometry(
        self,
        surface: VisibleSurface,
        face: FittedFace,
        view: LandmarkView,
        slopes: np.ndarray,
        by_normal: np.ndarray,
        normals: np.ndarray,
        jacobian: np.ndarray,
    ) -> None:
        """Fill the derivatives by pose and shape."""
        turn = face.state.turn[0]
        moves = _moves(view, face.state)  # (P, 2, 3) of the pixels by the turned points
        by_point = -slopes @ moves
        z = view.turned[0, :, 2]
        jacobian[..., :3] = _cross_rows(by_point, view.turned[0]) + _cross_rows(by_normal, normals)
        jacobian[..., 3:5] = by_point[..., :2]
        jacobian[..., 5] = -(slopes @ view.about[0][..., None])[..., 0]
        jacobian[..., 6] = jacobian[..., 5] * (view.near[0] * z)[:, None]
        points, turning = (by_point @ turn).astype(np.float32), (by_normal @ turn).astype(np.float32)
        _shape_rows(points, turning, surface.points.directions, surface.normal_directions, jacobian)

    def _with_priors(self, equations: Equations, face: FittedFace) -> Equations:
        """The equations with the priors of skin, light and occlusion."""
        normal, gradient = equations.normal, equations.gradient
        back = self.believed.minus(face.skin)
        start = len(gradient) - COLOURS
        colour, light = np.arange(start, len(gradient) - 1), slice(-1 - LIGHTING_COUNT, -1)
        normal[colour, colour] += self.priors.precision
        gradient[colour] += self.priors.precision * back
        unseen = np.kron(np.eye(3), _light_behind() / UNSEEN_LIGHT**2)
        normal[light, light] += unseen
        gradient[light] += unseen @ back[-LIGHTING_COUNT:]
        normal[-1, -1] += OCCLUSION_SPREAD**-2
        gradient[-1] += (OCCLUSION - face.occlusion) / OCCLUSION_SPREAD**2
        return equations


def blended(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values (V, ...) of vertices at P points within triangles, by their corners and weights (P, 3)."""
    parts = weights.reshape(*weights.shape, *[1] * (values.ndim - 1))
    first, second, third = (values[corners[:, k]] * parts[:, k] for k in range(3))
    return first + second + third


def _albedo_values(model: FaceModel) -> np.ndarray:
    """Derivatives (V, 3, 80) of the vertex colours by the albedo coefficients, over the components' scale."""
    values = model.albedo_components.values
    return np.ascontiguousarray(values.reshape(len(values), -1, 3).transpose(1, 2, 0))


def _log_sky(model: FaceModel) -> np.ndarray:
    """Logarithm of the sky's visibility at each vertex (V,)."""
    return np.log(np.maximum(model.derived(sky_visibility), DARKEST))


@cache
def _light_behind() -> np.ndarray:
    """Matrix (9, 9) of the mean square of light over normals that face away from the camera, evenly spread."""
    away = -(np.arange(300) + 0.5) / 300  # a Fibonacci spiral
    across, angle = np.sqrt(1 - away**2), np.pi * (1 + np.sqrt(5)) * np.arange(300)
    functions = harmonics(np.column_stack([across * np.cos(angle), across * np.sin(angle), away]))
    return functions.T @ functions / len(functions)


def _weights(residual: np.ndarray, trust: float) -> np.ndarray:
    """Weights (P,) of residuals (P, 3): the better the render matches, the larger."""
    spread = colour_spread(residual)
    return colour_weights(residual, spread, min(trust * (DRAWN_WELL / spread) ** 2, max(trust, LARGEST_TRUST)))


def trust_in(light: np.ndarray) -> float:
    """How far colours in a light (P, 3) are to be believed, from 0 to 1: the fourth power of how even it is."""
    dark, bright = np.quantile(light.mean(axis=1), [0.1, 0.9])
    return float(np.clip(dark / max(EVEN * bright, 1e-6), 0, 1)) ** 4


def _moves(view: LandmarkView, state: FaceState) -> np.ndarray:
    """Derivatives (P, 2, 3) of the pixels by the turned points' x, y and z."""
    moves = np.zeros((view.near.shape[1], 2, 3))
    moves[:, 0, 0], moves[:, 1, 1] = view.zoom[0], -view.zoom[0]
    moves[..., 2] = view.about[0] * (state.perspective[0] * view.near[0])[:, None]
    return moves


def _cross_rows(rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Derivatives (P, 3, 3) by a turn about x, y and z of what has derivatives (P, 3, 3) by vectors (P, 3)."""
    return np.cross(vectors[:, None], rows)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sample(planes, pixels, out):
    """Values (H, W, N) at (P, 2) pixels, bilinear; those of the edge beyond it."""
    height, width, count = planes.shape
    for p in range(len(pixels)):
        x = min(max(pixels[p, 0], 0.0), width - 1.001)
        y = min(max(pixels[p, 1], 0.0), height - 1.001)
        column, row = int(x), int(y)
        u, v = np.float32(x - column), np.float32(y - row)
        for n in range(count):
            top = planes[row, column, n] * (1 - u) + planes[row, column + 1, n] * u
            bottom = planes[row + 1, column, n] * (1 - u) + planes[row + 1, column + 1, n] * u
            out[p, n] = top * (1 - v) + bottom * v


@numba.njit(cache=True, nogil=True, fastmath=True)
def _shape_rows(points, turning, directions, normal_directions, jacobian):
    """Derivatives by the shape, from those by points and normals (P, 3, 3) in model space."""
    for n in range(len(points)):
        p = np.uint64(n)
        for channel in range(3):
            a, b, c = points[n, channel]
            d, e, f = turning[n, channel]
            for k in range(directions.shape[2]):
                moved = a * directions[p, 0, k] + b * directions[p, 1, k] + c * directions[p, 2, k]
                turned = (
                    d * normal_directions[p, 0, k] + e * normal_directions[p, 1, k] + f * normal_directions[p, 2, k]
                )
                jacobian[p, channel, np.uint64(7) + np.uint64(k)] = moved + turned
