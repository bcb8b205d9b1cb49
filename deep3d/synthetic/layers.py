"""From scenes to the two layers of triangles that both generators draw. All numpy, or all torch.

The first layer is opaque: flat things, clothes, heads, hair. The second lies over it: glasses and occluders.
"""

from __future__ import annotations

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.camera import CROP_SIZE, FAR, NEAR
from deep3d.face_model import FaceModel
from deep3d.lighting import irradiance
from deep3d.mesh import normalize
from deep3d.synthetic.light import half_vectors
from deep3d.synthetic.painting import GRAIN_SCALE
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.people.complexion import skin_colours
from deep3d.synthetic.people.eyes import eye_overlays
from deep3d.synthetic.people.glasses import RIM, Glasses
from deep3d.synthetic.people.hair import SHELL_TRIANGLES, hair_shells
from deep3d.synthetic.scenes import Scenes
from deep3d.synthetic.surfaces import ABSENT, Overlay, Surfaces, join, join_overlays, like, ribbons
from deep3d.synthetic.things import CORNERS, Things
from deep3d.synthetic.viewpoint import Standpoints

BEHIND, OCCLUDING = 0.9 * FAR, 1.5 * NEAR  # decimetres: the nearest thing behind a head, and the nearest occluder
FLAT_CONTRAST = 0.08  # of the texture of flat things
GLASSES_BEFORE_SKIN, LENS_BEFORE_SKIN = 0.06, 0.05  # decimetres by which they show where they touch it
SHINE_EXPONENT = 40  # of the band of light on hair
THINNEST = 0.6  # pixels, half the width of a line that is still visible


def opaque_layer(model: FaceModel, anatomy: Anatomy, scenes: Scenes, vertices: Array, normals: Array) -> Surfaces:
    """The opaque layer, for heads with (B, V, 3) vertices and normals in head space."""
    pixels, depth = scenes.standpoints.see(vertices)
    head = Surfaces(
        pixels=pixels,
        depth=depth,
        colours=skin_colours(model, anatomy, scenes, vertices, normals),
        grain=anatomy.grain * scenes.skin.grain_scale[:, None, None],
        contrast=model.skin * scenes.skin.contrast[:, None] + 0.25 * anatomy.beard * scenes.skin.beard[:, None],
        triangles=model.triangles,
    )
    return join([flat_things(scenes.behind, BEHIND), head, _hair(anatomy.skull, scenes)])


def overlay(model: FaceModel, anatomy: Anatomy, scenes: Scenes, vertices: Array) -> Overlay:
    """The overlay, for heads with (B, V, 3) vertices in head space."""
    occluders = flat_things(scenes.occluders, OCCLUDING)
    xp = array_namespace(occluders.depth)
    whole = xp.ones_like(occluders.depth)
    eyes = eye_overlays(
        scenes.eyes, model.landmarks(vertices), vertices[:, anatomy.irises], scenes.standpoints, scenes.key
    )
    return join_overlays([*eyes, *_glasses(scenes.glasses, scenes.standpoints), Overlay(occluders, whole, whole)])


def flat_things(things: Things, nearest: float) -> Surfaces:
    """Fans round the middles of flat things, the last of them at the `nearest` depth in decimetres."""
    xp = array_namespace(things.outlines)
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
        depth=flat + like(flat, depth.astype(np.float32)),
        colours=xp.reshape(things.colours[:, :, None] + shift, (count, -1, 3)),
        grain=pixels / GRAIN_SCALE,
        contrast=flat + FLAT_CONTRAST,
        triangles=like(flat, fans.astype(np.int32)),
    )


def _hair(skull: Array, scenes: Scenes) -> Surfaces:
    """Hair and hats, lit as balls, with the band of light that strands have (Kajiya and Kay, 1989)."""
    hair, standpoints = scenes.hair, scenes.standpoints
    xp = array_namespace(hair.low)
    shells = hair_shells(hair, skull)
    pixels, depth = standpoints.see(shells.vertices)
    outward = normalize(shells.vertices - skull[0]) @ standpoints.turn.mT
    down = (
        standpoints.turn[:, None, :, 1]
        - outward * xp.sum(outward * standpoints.turn[:, None, :, 1], axis=-1)[..., None]
    )
    aligned = xp.sum(normalize(down) * half_vectors(scenes.key)[:, None], axis=-1)
    band = hair.shine[:, None] * xp.clip(1 - aligned**2, 0, 1) ** SHINE_EXPONENT
    light = xp.clip(irradiance(outward, scenes.lighting), 0.05, None)
    return Surfaces(
        pixels=pixels,
        depth=xp.where(hair.worn[:, None], depth, ABSENT),
        colours=shells.colours * light * (1 + band[..., None]),
        grain=shells.strand,
        contrast=hair.streaks[:, None] + xp.zeros_like(depth),
        triangles=like(depth, SHELL_TRIANGLES),
    )


def _glasses(glasses: Glasses, standpoints: Standpoints) -> list[Overlay]:
    """Lenses, and rims, arch and temples as ribbons."""
    xp = array_namespace(glasses.width)
    half = xp.clip(0.5 * glasses.width * standpoints.pixels_per_dm, THINNEST, None)
    framed = glasses.worn & ~glasses.rimless
    parts = [(glasses.rims, framed), (glasses.arch[:, None], glasses.worn), (glasses.temples, glasses.worn)]
    whole = xp.ones_like(half)
    lines = [
        ribbons(*standpoints.see_lines(points, GLASSES_BEFORE_SKIN), half, glasses.colour, whole, there)
        for points, there in parts
    ]
    return [_lens(glasses, 0, standpoints), _lens(glasses, 1, standpoints), *lines]


def _lens(glasses: Glasses, side: int, standpoints: Standpoints) -> Overlay:
    """One lens of each person as a fan round its middle."""
    xp = array_namespace(glasses.rims)
    rim = glasses.rims[:, side]
    pixels, depth = standpoints.see(xp.concat([rim, xp.mean(rim, axis=1, keepdims=True)], axis=1))
    shift = xp.sum(glasses.reflection[:, side, None] * pixels, axis=-1, keepdims=True) / CROP_SIZE
    corner = np.arange(RIM - 1)
    fan = np.stack([corner, corner + 1, np.full(RIM - 1, RIM)], axis=1)
    surfaces = Surfaces(
        pixels=pixels,
        depth=xp.where(glasses.worn[:, None], depth - LENS_BEFORE_SKIN, ABSENT),
        colours=glasses.lens_colour[:, None] + shift,
        grain=xp.zeros_like(pixels),
        contrast=xp.zeros_like(depth),
        triangles=like(depth, fan.astype(np.int32)),
    )
    whole = xp.ones_like(depth)
    return Overlay(surfaces, glasses.lens_opacity[:, None] * whole, whole)
