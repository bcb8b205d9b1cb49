"""Made-up heads under made-up lights, with true maps: to measure how well light is taken off.

Nothing here is the separation's: skin gets its tone from measured CIELAB values with spread (Han et al., 2006; Xiao et
al., 2017), pigment in fields of its own, freckles and moles; gloss by regions drawn anew for each head. Light falls
pixel by pixel from lamps that have a size and a sky in many directions, each with a shadow map.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from deep3d.camera import clip_space, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.material.directions import even_directions
from deep3d.material.transfer import seen_from
from deep3d.mesh import normalize
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.kernels import rasterize_into
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.synthetic.people.population import random_people
from deep3d.synthetic.skin_maps import SkinMaps, SkinPainter

SIZE = 512  # pixels a side of a photo
FOCAL = (1.6, 3.2)  # times the size: phone to portrait lens
FILLED = 0.85  # of the picture's height that the head takes
YAW, PITCH, ROLL = 22.0, 8.0, 5.0  # degrees, standard deviations
SKY, LAMP_SAMPLES, SHADOW_MAP = 64, 9, 256
BIAS = 0.015  # decimetres
_THREADS = 2


@dataclass(frozen=True)
class Light:
    """N distant lights."""

    directions: np.ndarray  # (N, 3) unit vectors toward them, camera space
    power: np.ndarray  # (N, 3) linear irradiance over pi of a surface that faces each

    @classmethod
    def draw(cls, rng: np.random.Generator, hard: float) -> Light:
        """A sky of a few soft lobes and one to three lamps; `hard` in [0, 1] is the lamps' share."""
        sky = even_directions(SKY) @ np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32)
        lobes = normalize(rng.normal(size=(4, 3)))
        bright = 0.25 + np.exp(2 * (sky @ lobes.T - 1)) @ rng.uniform(0, 1, 4) + 0.6 * np.maximum(sky[:, 1], 0)
        power = (bright / bright.sum() * 4)[:, None] * (1 - hard) * _tint(rng, 0.08)
        directions, powers = [sky], [power]
        shares = rng.dirichlet([2, 0.7, 0.4]) * (np.arange(3) < rng.integers(1, 4))
        for share in shares[shares > 0]:
            toward = normalize(np.array([rng.normal(0, 0.9), rng.normal(0.45, 0.5), 1.0]))
            radius = np.radians(rng.uniform(1, 18))
            around = normalize(toward + radius * _disc(rng, toward))
            directions.append(around)
            powers.append(np.full((LAMP_SAMPLES, 1), share * hard / LAMP_SAMPLES) * _tint(rng, 0.12))
        return cls(np.concatenate(directions).astype(np.float32), np.concatenate(powers).astype(np.float32))

    def scaled(self, factor: np.ndarray | float) -> Light:
        """The same, brighter or in another colour."""
        return Light(self.directions, self.power * np.float32(factor))


@dataclass(frozen=True)
class LitHead:
    """One head, and how it lies before the camera."""

    vertices: np.ndarray  # (V, 3) placed, decimetres, camera at the origin looking down -z
    turn: np.ndarray  # (3, 3) from head space
    maps: SkinMaps
    focal: float
    lightness: float  # CIELAB L* of the skin


class LitHeadGenerator:
    """Draws heads; the same seed gives the same heads."""

    def __init__(self, model: FaceModel, seed: int) -> None:
        self._model = model
        self._rng = np.random.default_rng(seed)
        self._shapes = FreeShapes.of(model, seed)
        self._painter = SkinPainter(model)

    def draw(self, lightness: float | None = None) -> LitHead:
        """A head, of a skin of this L* where given."""
        rng, model = self._rng, self._model
        people = random_people(rng, 1, model.expression_names)
        nowhere = (np.zeros((1, count), np.float32) for count in (3, 27, 3))
        face = FaceCoefficients(people.identity * 0.8, people.expression * 0.4, people.albedo, *nowhere)
        shape = model.shape(face)[0] + 0.6 * self._shapes.draw(rng, 1)[0]
        angles = np.radians(rng.normal(0, [PITCH, YAW, ROLL])).astype(np.float32)
        turn = rotation_matrix(angles[None])[0]
        tone = float(rng.uniform(25, 74)) if lightness is None else lightness
        maps = self._painter.draw(rng, people.albedo, tone)
        placed = (shape - shape.mean(axis=0)) @ turn.T
        focal = SIZE * rng.uniform(*FOCAL)
        distance = focal * np.ptp(placed[:, 1]) / (FILLED * SIZE)
        return LitHead((placed - [0, 0, distance]).astype(np.float32), turn, maps, focal, tone)

    def light(self, hard: float | None = None) -> Light:
        """A light, lamps making up a share of `hard`."""
        return Light.draw(self._rng, float(self._rng.uniform(0.1, 0.9)) if hard is None else hard)

    def photo(self, radiance: np.ndarray, mask: np.ndarray, noise: float = 0.004) -> tuple[np.ndarray, np.ndarray]:
        """A photo (SIZE, SIZE, 3) uint8 of a radiance picture, and the factors (3,) of exposure and white balance."""
        rng = self._rng
        grey = np.median(radiance[mask].mean(axis=1))
        wanted = 0.27 * (max(float(grey), 1e-4) / 0.25) ** 0.65  # cameras even out a third of what faces differ by
        factors = wanted / max(float(grey), 1e-4) * np.exp(rng.normal(0, 0.2)) * _tint(rng, 0.04)
        backdrop = rng.uniform(0.05, 0.7, 3) * (0.8 + 0.4 * np.linspace(1, 0, SIZE)[:, None, None])
        picture = np.where(mask[..., None], radiance * factors, backdrop)
        picture = srgb(picture) + rng.normal(0, noise, picture.shape)
        return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8), factors

    def render(self, head: LitHead, light: Light) -> tuple[np.ndarray, np.ndarray]:
        """Linear radiance (SIZE, SIZE, 3) of a head under a light, and which pixels (SIZE, SIZE) show it."""
        surface = _Surface.of(head, self._model)
        middle = head.vertices.mean(axis=0)
        reach = 1.1 * float(np.linalg.norm(head.vertices - middle, axis=1).max())
        view = normalize(-surface.points)

        def work(start: int) -> np.ndarray:
            radiance = np.zeros((len(surface.points), 3), np.float32)
            size = (SHADOW_MAP, SHADOW_MAP)
            triangle, weights, depth = (np.empty(shape, kind) for shape, kind in _buffers(size))
            for direction, power in zip(light.directions[start::_THREADS], light.power[start::_THREADS]):
                clip = seen_from(head.vertices - middle, direction, reach, SHADOW_MAP)
                rasterize_into(clip, self._model.triangles, triangle, weights, depth)
                own = seen_from(surface.points - middle, direction, reach, SHADOW_MAP)
                lit = surface.normals, surface.smooth, view, surface.albedo, surface.specular, surface.roughness
                _add_light(own, depth, np.float32(2 * BIAS / reach), *lit, direction, power, radiance)
            return radiance

        with ThreadPoolExecutor(_THREADS) as pool:
            radiance = sum(pool.map(work, range(_THREADS)))
        picture = np.zeros((SIZE * SIZE, 3), np.float32)
        picture[surface.pixels] = radiance
        mask = np.zeros(SIZE * SIZE, bool)
        mask[surface.pixels] = True
        return picture.reshape(SIZE, SIZE, 3), mask.reshape(SIZE, SIZE)


@dataclass(frozen=True)
class _Surface:
    """What P pixels show."""

    pixels: np.ndarray  # (P,) flat
    points: np.ndarray  # (P, 3)
    normals: np.ndarray  # (P, 3) with fine relief
    smooth: np.ndarray  # (P, 3)
    albedo: np.ndarray  # (P, 3) linear
    specular: np.ndarray  # (P,) reflectance at normal incidence
    roughness: np.ndarray  # (P,)

    @classmethod
    def of(cls, head: LitHead, model: FaceModel) -> _Surface:
        """Rasterise a head."""
        seen = head.vertices
        pixels = seen[:, :2] * [1, -1] * (head.focal / -seen[:, 2:]) + SIZE / 2
        clip = clip_space(pixels[None].astype(np.float32), -seen[None, :, 2], (SIZE, SIZE)).astype(np.float32)
        rasterizer = CpuRasterizer()
        fragments = rasterizer.rasterize(clip, model.triangles, (SIZE, SIZE))
        normals = model.normals(seen[None])[0]
        both = rasterizer.interpolate(np.concatenate([seen, normals], axis=1)[None], fragments, model.triangles)[0]
        uv = rasterizer.interpolate(model.uv[None], fragments, model.uv_triangles)
        maps = rasterizer.texture(head.maps.stacked[None], uv)[0].reshape(SIZE * SIZE, -1)
        shown = np.flatnonzero(fragments.triangle[0].ravel() >= 0)
        points, smooth = (part.reshape(-1, 3)[shown] for part in (both[..., :3], both[..., 3:]))
        maps, smooth = maps[shown], normalize(smooth)
        fine = normalize(smooth + maps[:, 5:8] @ head.turn.T)
        parts = points, fine, smooth, maps[:, :3], maps[:, 3], maps[:, 4]
        return cls(shown, *(np.ascontiguousarray(part, np.float32) for part in parts))


def srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB coding of linear values, clipped to [0, 1]."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _add_light(own, depth, bias, normals, smooth, view, albedo, specular, roughness, direction, power, radiance):
    """Add what P pixels reflect of one distant light: Lambert, and a GGX lobe (Walter et al., 2007)."""
    size = depth.shape[0]
    dx, dy, dz = direction
    for p in range(len(own)):
        nx, ny, nz = normals[p]
        nl = nx * dx + ny * dy + nz * dz
        if nl <= 0 or smooth[p, 0] * dx + smooth[p, 1] * dy + smooth[p, 2] * dz <= 0:
            continue
        column, row = int((own[p, 0] + 1) / 2 * size), int((own[p, 1] + 1) / 2 * size)
        if own[p, 2] > depth[min(max(row, 0), size - 1), min(max(column, 0), size - 1)] + bias:
            continue
        vx, vy, vz = view[p]
        hx, hy, hz = vx + dx, vy + dy, vz + dz
        length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
        nh = max(nx * hx + ny * hy + nz * hz, 0) / length
        vh = (vx * hx + vy * hy + vz * hz) / length
        nv = max(nx * vx + ny * vy + nz * vz, 0.05)
        alpha2 = roughness[p] ** 4
        peak = alpha2 / (nh * nh * (alpha2 - 1) + 1) ** 2
        masking = nl * np.sqrt(nv * nv * (1 - alpha2) + alpha2) + nv * np.sqrt(nl * nl * (1 - alpha2) + alpha2)
        gloss = 0.5 * peak / masking * (specular[p] + (1 - specular[p]) * (1 - vh) ** 5)
        for channel in range(3):
            radiance[p, channel] += nl * power[channel] * (albedo[p, channel] + gloss)


def _buffers(size: tuple[int, int]) -> tuple[tuple[tuple[int, ...], type], ...]:
    """Shapes and types of a shadow map's triangles, weights and depths."""
    return (size, np.int32), ((*size, 2), np.float32), (size, np.float32)


def _disc(rng: np.random.Generator, toward: np.ndarray) -> np.ndarray:
    """Random points (LAMP_SAMPLES, 3) of a unit disc across a direction."""
    angle, radius = rng.uniform(0, 2 * np.pi, LAMP_SAMPLES), np.sqrt(rng.random(LAMP_SAMPLES))
    right = normalize(np.cross([0.0, 1.0, 0.1], toward))
    up = np.cross(toward, right)
    return (radius * np.cos(angle))[:, None] * right + (radius * np.sin(angle))[:, None] * up


def _tint(rng: np.random.Generator, spread: float) -> np.ndarray:
    """A random warm or cold hue (3,)."""
    return np.exp(rng.normal(0, spread) * np.array([1.0, 0.0, -1.4]) + rng.normal(0, spread / 4, 3))
