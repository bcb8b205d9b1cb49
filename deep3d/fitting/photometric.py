"""Fitting to the colours of the photo: the face, light and albedo that make a picture most like it, by Gauss-Newton.

The energy is that of the landmark fit and, summed over pixels of skin, a robust distance between the colour that the
face model gives a point of the surface and the colour of the photo where this point is seen (Blanz and Vetter, 1999).
Which point a pixel shows is the rasteriser's answer and is asked again now and then; in between the points stay on the
surface and move with it, so that all derivatives are short formulas: of the photo along the way that the points move,
of the light along the way that their normals turn. Beside the nose and below the brows less of it arrives, as on the
mean head (ambient occlusion); how much less is one more unknown, for a lamp is hidden otherwise than a sky.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.sparse import csr_array

from deep3d.camera import CROP_SIZE, Camera, clip_space, depth, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.iteration import POSE, FaceState, finished, jacobian_of, look, started, stepped
from deep3d.fitting.landmarks import Priors, normal_equations
from deep3d.fitting.reflectance import (
    FACING,
    SKIN,
    ColourPriors,
    Reflectance,
    SkinPoints,
    colour_spread,
    colour_weights,
)
from deep3d.lighting import harmonics, harmonics_by_normal
from deep3d.mesh import normalize
from deep3d.rendering.kernels import rasterize_into
from deep3d.rendering.openness import sky_visibility

ROUNDS = 3  # times that the rasteriser is asked what the pixels show
STEPS = 3  # of each round
STRIDE = 3  # crop pixels between those that count
OCCLUSION, OCCLUSION_SPREAD = 0.6, 0.5
"""Power of the sky's visibility that light falls by: what is believed of it, and how surely. With next to no belief
tuning portraits had 0.62, and between 0.4 and 0.9."""
DARKEST = 0.1  # visibility of the sky, at least: laughing mouths are more open than the mean head's
UNSEEN_LIGHT = 0.05
"""Light that falls on what the camera does not see, 1 being white: how far it may be from what the network says. The
photo leaves it open, and it would fall below zero in one channel or another."""
BLUR = 0.7  # crop pixels: the derivatives of the photo should hold for the way that points move, and see detail
DRAWN_WELL = 0.07
"""Spread of colours in [0, 1] that deserves the priors' trust; one that is half as large deserves four times as much.

What the model cannot draw is wrong in many pixels together, noise in each by itself.
"""

PRIORS = Priors(expression=0.15)  # nearer to what is believed, for the start is nearer to the photo
COLOUR_PRIORS = ColourPriors(albedo=1.2)  # skin that is nearer to the photo's leaves less for the shape to make up for


@dataclass(frozen=True)
class SeenLandmarks:
    """Where the landmarks of one face are seen."""

    basis: LandmarkBasis
    points: np.ndarray  # (N, 2) crop pixels
    deviation: np.ndarray  # (N,) crop pixels


@dataclass(frozen=True)
class PhotoFit:
    """One face fitted to its photo.

    `difference` counts the light that the head hides from itself as missing; the coefficients are of light before that.
    """

    coefficients: FaceCoefficients  # B = 1
    camera: Camera
    difference: float  # mean distance of colours in [0, 1] over the skin that is seen
    kept: bool  # whether the face is now more like the photo than its start, which stands otherwise


def fit_photo_colours(
    crop: np.ndarray,
    landmarks: SeenLandmarks,
    model: FaceModel,
    regressed: FaceCoefficients,
    start: FaceCoefficients,
    camera: Camera,
    priors: Priors = PRIORS,
    colour_priors: ColourPriors = COLOUR_PRIORS,
) -> PhotoFit:
    """Fit one face to its crop (224, 224, 3) uint8 RGB and to landmarks in it.

    Priors are about the `regressed` coefficients (B = 1); the iteration begins at `start`, as `camera` sees it.
    """
    photo, face = _Photo(crop), _Face(started(start, camera), Reflectance.of(start), OCCLUSION)
    first, believed = started(regressed), Reflectance.of(regressed)
    before = after = np.inf
    for number in range(ROUNDS):
        surface = _Surface.seen(model, landmarks.basis, face, start)
        if surface is None:
            return PhotoFit(start, camera, before, False)
        if number == 0:
            before = surface.difference(photo, face)
        for _ in range(STEPS):
            normal, gradient = _colour_equations(photo, surface, face, believed, colour_priors)
            shape_normal, shape_gradient = normal_equations(
                landmarks.basis, face.state, first, landmarks.points[None], landmarks.deviation[None], priors
            )
            count = shape_gradient.shape[1]
            normal[:count, :count] += shape_normal[0]
            gradient[:count] += shape_gradient[0]
            face = face.stepped(landmarks.basis, np.linalg.solve(normal, gradient))
        after = surface.difference(photo, face)
    if not after < before:  # what is not a number, too
        return PhotoFit(start, camera, before, False)
    coefficients, cameras = finished(landmarks.basis, face.state, start)
    albedo, lighting = (values[None].astype(np.float32) for values in (face.skin.albedo, face.skin.lighting))
    return PhotoFit(replace(coefficients, albedo=albedo, lighting=lighting), cameras[0], after, True)


@dataclass(frozen=True)
class _Face:
    """Where the iteration stands."""

    state: FaceState  # B = 1
    skin: Reflectance
    occlusion: float

    def stepped(self, basis: LandmarkBasis, step: np.ndarray) -> _Face:
        """After a step (7 + K + 107 + 1,)."""
        moved, colours, (darker,) = np.split(step, [POSE + basis.directions.shape[-1], -1])
        occlusion = max(self.occlusion + float(darker), 0.0)
        return _Face(stepped(basis, self.state, moved[None]), self.skin.stepped(colours), occlusion)


class _Photo:
    """A crop whose colours can be asked between pixels."""

    def __init__(self, crop: np.ndarray) -> None:
        smooth = gaussian_filter(crop.astype(np.float32) / 255, (BLUR, BLUR, 0))
        down, across = np.gradient(smooth, axis=(0, 1))
        self._planes = np.concatenate([smooth, across, down], axis=2).transpose(2, 0, 1)

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colours (P, 3) and their derivatives (P, 3, 2) by column and row at (P, 2) pixels."""
        places = pixels[:, ::-1].T
        seen = np.stack([map_coordinates(plane, places, order=1, mode="nearest") for plane in self._planes], axis=-1)
        return seen[:, :3], seen[:, 3:].reshape(-1, 2, 3).mT


@dataclass(frozen=True)
class _Surface:
    """P points of the skin that pixels show, and T triangles round them, by K shape and 80 albedo coefficients."""

    points: LandmarkBasis
    skin: SkinPoints
    sky: np.ndarray  # (P,) logarithm of how much of the sky they see
    edges: np.ndarray  # (2, T, 3) two sides of each triangle in the mean shape
    edge_directions: np.ndarray  # (2, T, 3, K)
    smoothing: csr_array  # (P, T) the part that each triangle's normal has in that of a point

    @classmethod
    def seen(cls, model: FaceModel, basis: LandmarkBasis, face: _Face, start: FaceCoefficients) -> _Surface | None:
        """What the pixels of the crop show of a face, None if nothing; `start` has what does not change."""
        coefficients, (camera,) = finished(basis, face.state, start)
        corners, weights = _visible_skin(model, coefficients, camera)
        if not len(corners):
            return None
        shapes, albedos = model.derived(_directions)
        rows, place = np.unique(corners, return_inverse=True)
        around = model.adjacency[rows]
        used = around < len(model.triangles)
        triangles, column = np.unique(around[used], return_inverse=True)
        a, b, c = model.triangles[triangles].T
        valence = used.sum(axis=1)
        of_vertex = csr_array(
            (np.repeat(1 / valence, valence).astype(np.float32), (np.repeat(np.arange(len(rows)), valence), column)),
            shape=(len(rows), len(triangles)),
        )
        of_point = csr_array(
            (weights.ravel(), (np.repeat(np.arange(len(corners)), 3), place.ravel())), shape=(len(corners), len(rows))
        )
        return cls(
            points=replace(
                basis, mean=_within(model.mean_shape, corners, weights), directions=_within(shapes, corners, weights)
            ),
            skin=SkinPoints(_within(model.mean_albedo, corners, weights), _within(albedos, corners, weights)),
            sky=_within(model.derived(_log_sky), corners, weights),
            edges=np.stack([model.mean_shape[end] - model.mean_shape[a] for end in (b, c)]),
            edge_directions=np.stack([shapes[end] - shapes[a] for end in (b, c)]),
            smoothing=of_point @ of_vertex,
        )

    @cached_property
    def _flat_edges(self) -> np.ndarray:
        return self.edge_directions.reshape(-1, self.edge_directions.shape[-1])

    def normals(self, face: _Face) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit normals of the turned triangles (T, 3), the points' sums of them (P, 3), and the triangles' sides."""
        shape = face.state.shape[0].astype(np.float32)
        sides = (self.edges + (self._flat_edges @ shape).reshape(self.edges.shape)) @ face.state.turn[0].T
        unit = normalize(np.cross(sides[0], sides[1]))
        return unit, self.smoothing @ unit, sides

    def difference(self, photo: _Photo, face: _Face) -> float:
        """Mean distance of the face's colours from those of the photo."""
        colours, _ = photo.look(look(self.points, face.state).pixels[0])
        light = harmonics(normalize(self.normals(face)[1])) @ face.skin.light.T
        return float(np.abs(colours - self.openness(face) * self.skin.albedo(face.skin) * light).mean())

    def openness(self, face: _Face) -> np.ndarray:
        """Share of the light (P, 1) that reaches the points."""
        return np.exp(face.occlusion * self.sky)[:, None]


def _directions(model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """How the vertices move (V, 3, K) and change colour (V, 3, 80) with the coefficients, vertex by vertex."""
    shapes = np.concatenate([model.identity_basis, model.expression_basis])
    shape, albedo = (
        np.ascontiguousarray(basis.reshape(len(basis), -1, 3).transpose(1, 2, 0), np.float32)
        for basis in (shapes, model.albedo_basis)
    )
    return shape, albedo


def _log_sky(model: FaceModel) -> np.ndarray:
    """Logarithm of how much of the sky each vertex (V,) sees."""
    return np.log(np.maximum(sky_visibility(model), DARKEST))


def _within(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values (V, ...) of vertices at P points within triangles, by their corners and weights (P, 3)."""
    parts = weights.reshape(*weights.shape, *[1] * (values.ndim - 1))
    first, second, third = (values[corners[:, k]] * parts[:, k] for k in range(3))
    return first + second + third


def _visible_skin(model: FaceModel, coefficients: FaceCoefficients, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Corners (P, 3) and barycentric weights (P, 3) float32 of the points of skin that every third pixel shows."""
    vertices = place(model.shape(coefficients), coefficients.rotation, coefficients.translation)
    size = (CROP_SIZE, CROP_SIZE)
    clip = clip_space(project(vertices, camera), depth(vertices, camera), size)[0].astype(np.float32)
    triangle, zbuffer = np.empty(size, np.int32), np.empty(size, np.float32)
    weights = np.empty((*size, 2), np.float32)
    rasterize_into(clip, model.triangles, triangle, weights, zbuffer)
    normals = model.normals(vertices)[0]
    some = (slice(STRIDE // 2, None, STRIDE),) * 2
    triangle, weights = triangle[some], weights[some]
    corners, parts = model.triangles[triangle[triangle >= 0]], weights[triangle >= 0]
    seen = (model.skin[corners].min(axis=1) > SKIN) & (normals[corners, 2].min(axis=1) > FACING)
    corners, parts = corners[seen], parts[seen]
    return corners, np.column_stack([parts, 1 - parts.sum(axis=1)])


def _colour_equations(
    photo: _Photo, surface: _Surface, face: _Face, believed: Reflectance, priors: ColourPriors
) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and right side of the step: pose, shape, albedo, light, occlusion; priors of the last three."""
    view = look(surface.points, face.state)
    colours, slopes = photo.look(view.pixels[0])
    unit, sums, sides = surface.normals(face)
    normals, length = normalize(sums), np.linalg.norm(sums, axis=1)
    openness, albedo = surface.openness(face), surface.skin.albedo(face.skin)
    functions = openness * harmonics(normals)
    drawn = albedo * (functions @ face.skin.light.T)
    residual = colours - drawn  # to be explained by a step
    by_normal = (openness * albedo)[..., None] * (face.skin.light @ harmonics_by_normal(normals))  # (P, 3, 3)
    moves = jacobian_of(surface.points, face.state, view).reshape(len(normals), 2, -1)
    geometry = -slopes @ moves
    geometry[..., :3] += by_normal @ _turned(normals)
    geometry[..., POSE:] += by_normal @ _normals_by_shape(surface, face, unit, sides, normals, length)
    by_colour = surface.skin.derivatives(face.skin, functions)
    by_occlusion = (drawn * surface.sky[:, None])[..., None]
    jacobian = np.concatenate([geometry, by_colour, by_occlusion], axis=-1, dtype=np.float32)
    root = np.repeat(np.sqrt(_weights(residual, priors.trust)), 3).astype(np.float32)
    weighted = jacobian.reshape(len(root), -1) * root[:, None]
    normal = (weighted.T @ weighted).astype(np.float64)
    gradient = (weighted.T @ (root * residual.ravel())).astype(np.float64)
    back = believed.minus(face.skin)
    colour, light = np.arange(geometry.shape[-1], len(gradient) - 1), slice(-28, -1)
    normal[colour, colour] += priors.precision
    gradient[colour] += priors.precision * back
    unseen = np.kron(np.eye(3), _light_behind() / UNSEEN_LIGHT**2)
    normal[light, light] += unseen
    gradient[light] += unseen @ back[-27:]
    normal[-1, -1] += OCCLUSION_SPREAD**-2
    gradient[-1] += (OCCLUSION - face.occlusion) / OCCLUSION_SPREAD**2
    return normal, gradient


@cache
def _light_behind() -> np.ndarray:
    """Matrix (9, 9) of the mean square of light over normals that face away from the camera, evenly spread."""
    away = -(np.arange(300) + 0.5) / 300  # a spiral of Fibonacci's
    across, angle = np.sqrt(1 - away**2), np.pi * (1 + np.sqrt(5)) * np.arange(300)
    functions = harmonics(np.column_stack([across * np.cos(angle), across * np.sin(angle), away]))
    return functions.T @ functions / len(functions)


def _weights(residual: np.ndarray, trust: float) -> np.ndarray:
    """Weights (P,) of residuals (P, 3): the better the face is drawn, the more its colours tell."""
    spread = colour_spread(residual)
    return colour_weights(residual, spread, min(trust * (DRAWN_WELL / spread) ** 2, 1.0))


def _turned(vectors: np.ndarray) -> np.ndarray:
    """Derivatives (P, 3, 3) of (P, 3) vectors by a turn about x, y and z."""
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    return np.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=-1).reshape(-1, 3, 3)


def _normals_by_shape(
    surface: _Surface, face: _Face, unit: np.ndarray, sides: np.ndarray, normals: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """Derivatives (P, 3, K) of the points' unit normals by the shape coefficients."""
    turn = face.state.turn[0].astype(np.float32)
    one, other = (turn @ directions for directions in surface.edge_directions)  # (T, 3, K)
    first, second = (side.astype(np.float32) for side in sides)
    change = _crossing(first) @ other - _crossing(second) @ one
    area = np.maximum(np.linalg.norm(np.cross(first, second), axis=1), 1e-12)
    change = _across(unit.astype(np.float32), change) / area[:, None, None]
    summed = (surface.smoothing @ change.reshape(len(change), -1)).reshape(len(normals), 3, -1)
    return _across(normals.astype(np.float32), summed) / length[:, None, None]


def _crossing(vectors: np.ndarray) -> np.ndarray:
    """Matrices (N, 3, 3) that take the cross product of vectors (N, 3) with others."""
    return -_turned(vectors)


def _across(unit: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """The part of changes (N, 3, K) at right angles to unit vectors (N, 3), which is how these can change."""
    return changes - unit[:, :, None] * (unit[:, None] @ changes)
