"""From scenes to the two layers of triangles that both generators draw. All numpy, or all torch.

The first layer is what is opaque: flat things, clothes, heads, hair. The second lies over it: glasses, and what is
before a face.
"""

from __future__ import annotations

import array_api_compat
import numpy as np

from deep3d.camera import CROP_SIZE, FAR, NEAR
from deep3d.coefficients import Array
from deep3d.face_model import FaceModel
from deep3d.lighting import irradiance
from deep3d.training.anatomy import Anatomy
from deep3d.training.glasses import RIM, Glasses
from deep3d.training.hair import SHELL_TRIANGLES, Hair, hair_shells
from deep3d.training.light import gloss
from deep3d.training.painting import GRAIN_SCALE
from deep3d.training.scenes import Scenes, Skin
from deep3d.training.surfaces import Overlay, Surfaces, join, join_overlays
from deep3d.training.things import CORNERS, Things
from deep3d.training.viewpoint import Standpoints

BEHIND, BEFORE = 0.9 * FAR, 1.5 * NEAR  # decimetres: the nearest thing behind a head, and the nearest before it
ABSENT = -1.0  # the depth of what is not there
FLAT_CONTRAST = 0.12  # of the texture of flat things
LENS_BEHIND_RIM = 0.01  # decimetres
THINNEST = 0.6  # pixels, half the width of a line that is still seen


def opaque_layer(model: FaceModel, anatomy: Anatomy, scenes: Scenes, vertices: Array, normals: Array) -> Surfaces:
    """What is opaque, from heads of (B, V, 3) vertices and normals in head space."""
    light = irradiance(normals @ scenes.standpoints.turn.mT, scenes.lighting)
    head = _heads(model, anatomy, scenes, vertices, normals, light)
    hair = _hair(scenes.hair, anatomy.skull, scenes.standpoints, light)
    return join([flat_things(scenes.behind, BEHIND), head, hair])


def overlay(scenes: Scenes) -> Overlay:
    """What lies over it."""
    before = flat_things(scenes.before, BEFORE)
    xp = array_api_compat.array_namespace(before.depth)
    whole = xp.ones_like(before.depth)
    return join_overlays([*_glasses(scenes.glasses, scenes.standpoints), Overlay(before, whole, whole)])


def flat_things(things: Things, nearest: float) -> Surfaces:
    """Fans round the middles of flat things, the last of them at the `nearest` depth in decimetres."""
    xp = array_api_compat.array_namespace(things.outlines)
    count, many = things.outlines.shape[:2]
    middle = xp.mean(things.outlines, axis=2, keepdims=True)
    points = xp.concat([things.outlines, middle], axis=2)  # (B, K, CORNERS + 1, 2)
    shift = xp.sum(things.gradients[:, :, None] * points, axis=-1, keepdims=True) / CROP_SIZE
    depth = np.repeat(nearest * (1 + 0.01 * np.arange(many)[::-1]), CORNERS + 1)
    corner = np.arange(CORNERS)
    fan = np.stack([corner, (corner + 1) % CORNERS, np.full(CORNERS, CORNERS)], axis=1)
    fans = (np.arange(many)[:, None, None] * (CORNERS + 1) + fan).reshape(-1, 3)
    pixels = xp.reshape(points, (count, -1, 2))
    flat = xp.zeros_like(pixels[..., 0])
    return Surfaces(
        pixels=pixels,
        depth=flat + _like(flat, depth.astype(np.float32)),
        colours=xp.reshape(things.colours[:, :, None] + shift, (count, -1, 3)),
        grain=pixels / GRAIN_SCALE,
        contrast=flat + FLAT_CONTRAST,
        triangles=_like(flat, fans.astype(np.int32)),
    )


def _heads(
    model: FaceModel, anatomy: Anatomy, scenes: Scenes, vertices: Array, normals: Array, light: Array
) -> Surfaces:
    people, skin, hair_colour = scenes.people, scenes.skin, scenes.hair.hair_colour[:, None]
    pixels, depth = scenes.standpoints.see(vertices)
    beard = anatomy.beard * skin.beard[:, None]
    albedo = _mix(model.albedo(people.albedo), 0.9 * hair_colour, beard)
    albedo = _mix(albedo, hair_colour, anatomy.scalp * skin.scalp[:, None])
    shade = anatomy.openness ** skin.occlusion[:, None] * _cast_shadow(skin, vertices)
    turned = normals @ scenes.standpoints.turn.mT
    oily = gloss(turned, scenes.key, skin.gloss, skin.gloss_exponent) * (0.3 + 0.7 * model.skin)
    return Surfaces(
        pixels=pixels,
        depth=depth,
        colours=albedo * light * shade[..., None] + oily[..., None],
        grain=anatomy.grain * skin.grain_scale[:, None, None],
        contrast=model.skin * skin.contrast[:, None] + 0.25 * beard,
        triangles=model.triangles,
    )


def _mix(below: Array, above: Array, amount: Array) -> Array:
    """Colours (B, V, 3) below and (B, 1, 3) above, by amounts (B, V) in [0, 1]."""
    return below + amount[..., None] * (above - below)


def _cast_shadow(skin: Skin, vertices: Array) -> Array:
    """Light left (B, V) behind a soft edge across the head."""
    xp = array_api_compat.array_namespace(vertices)
    along = xp.sum(vertices * skin.shadow_direction[:, None], axis=-1) - skin.shadow_start[:, None]
    return 1 - skin.shadow_depth[:, None] / (1 + xp.exp(xp.clip(-along / skin.shadow_width[:, None], None, 60)))


def _hair(hair: Hair, skull: Array, standpoints: Standpoints, light: Array) -> Surfaces:
    """Hair and hats, under the mean of the light on the head."""
    xp = array_api_compat.array_namespace(light)
    shells = hair_shells(hair, skull)
    pixels, depth = standpoints.see(shells.vertices)
    return Surfaces(
        pixels=pixels,
        depth=xp.where(hair.worn[:, None], depth, ABSENT),
        colours=shells.colours * xp.mean(light, axis=(1, 2))[:, None, None],
        grain=shells.strand,
        contrast=hair.streaks[:, None] + xp.zeros_like(depth),
        triangles=_like(light, SHELL_TRIANGLES),
    )


def _glasses(glasses: Glasses, standpoints: Standpoints) -> list[Overlay]:
    """Lenses, and rims, arch and temples as ribbons with soft borders."""
    xp = array_api_compat.array_namespace(glasses.width)
    half = xp.clip(0.5 * glasses.width * standpoints.pixels_per_dm, THINNEST, None)
    framed = glasses.worn & ~glasses.rimless
    lines = [(glasses.rims[:, k], framed) for k in (0, 1)]
    lines += [(glasses.arch, glasses.worn), *((glasses.temples[:, k], glasses.worn) for k in (0, 1))]
    ribbons = [_ribbon(*standpoints.see(points), half, glasses.colour, there) for points, there in lines]
    return [_lens(glasses, 0, standpoints), _lens(glasses, 1, standpoints), *ribbons]


def _lens(glasses: Glasses, side: int, standpoints: Standpoints) -> Overlay:
    """One lens of each person as a fan round its middle."""
    xp = array_api_compat.array_namespace(glasses.rims)
    rim = glasses.rims[:, side]
    pixels, depth = standpoints.see(xp.concat([rim, xp.mean(rim, axis=1, keepdims=True)], axis=1))
    shift = xp.sum(glasses.reflection[:, side, None] * pixels, axis=-1, keepdims=True) / CROP_SIZE
    corner = np.arange(RIM - 1)
    fan = np.stack([corner, corner + 1, np.full(RIM - 1, RIM)], axis=1)
    surfaces = Surfaces(
        pixels=pixels,
        depth=xp.where(glasses.worn[:, None], depth + LENS_BEHIND_RIM, ABSENT),
        colours=glasses.lens_colour[:, None] + shift,
        grain=xp.zeros_like(pixels),
        contrast=xp.zeros_like(depth),
        triangles=_like(depth, fan.astype(np.int32)),
    )
    whole = xp.ones_like(depth)
    return Overlay(surfaces, glasses.lens_opacity[:, None] * whole, whole)


def _ribbon(pixels: Array, depth: Array, half: Array, colour: Array, there: Array) -> Overlay:
    """Polylines (B, N, 2) of half widths (B,) in pixels and colours (B, 3), where they are `there` (B,).

    Three vertices for each point: on one border, in the middle, on the other border.
    """
    xp = array_api_compat.array_namespace(pixels)
    count, points = depth.shape
    along = xp.concat(
        [pixels[:, 1:2] - pixels[:, :1], pixels[:, 2:] - pixels[:, :-2], pixels[:, -1:] - pixels[:, -2:-1]], axis=1
    )
    across = xp.stack([-along[..., 1], along[..., 0]], axis=-1)
    length = xp.clip(xp.sqrt(xp.sum(across * across, axis=-1, keepdims=True)), 1e-6, None)
    reach = half + 0.5  # pixels, to where nothing is left of the line
    across = across / length * reach[:, None, None]
    flat = xp.zeros_like(pixels[:, :, 0, None]) + _like(pixels, np.array([0, 1, 0], np.float32))  # (B, N, 3)
    quads = np.array([[0, 1, 3], [1, 4, 3], [1, 2, 4], [2, 5, 4]])
    triangles = (3 * np.arange(points - 1)[:, None, None] + quads).reshape(-1, 3)
    placed = xp.reshape(xp.stack([pixels - across, pixels, pixels + across], axis=2), (count, -1, 2))
    middle = xp.reshape(flat, (count, -1))
    surfaces = Surfaces(
        pixels=placed,
        depth=xp.reshape(xp.where(there[:, None], depth, ABSENT)[..., None] + 0 * flat, (count, -1)),
        colours=colour[:, None] + xp.zeros_like(middle)[..., None],
        grain=xp.zeros_like(placed),
        contrast=xp.zeros_like(middle),
        triangles=_like(pixels, triangles.astype(np.int32)),
    )
    return Overlay(surfaces, xp.ones_like(middle), middle * reach[:, None])


def _like(array: Array, values: np.ndarray) -> Array:
    """The values as an array of the same kind, on the same device."""
    xp = array_api_compat.array_namespace(array)
    return xp.asarray(values, device=array_api_compat.device(array))
