"""Skin at the vertices: stubble, wrinkles, subsurface scattering, shadows and gloss."""

from __future__ import annotations

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.face_model import FaceModel
from deep3d.lighting import irradiance
from deep3d.mesh import normalize
from deep3d.synthetic.light import gloss
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.scenes import Scenes, Skin
from deep3d.synthetic.surfaces import like

CROWS_FOOT = 0.42  # radians from line to line
SOFTENED = np.array([1.0, 0.45, 0.2], np.float32)
"""The loss of fine detail of the light in skin, for red, green and blue: red scatters farthest."""
BLEEDING = np.array([0.10, 0.025, 0.01], np.float32)
"""The light that scattering adds where no light arrives."""


def skin_colours(model: FaceModel, anatomy: Anatomy, scenes: Scenes, vertices: Array, normals: Array) -> Array:
    """Colours (B, V, 3) of heads of (B, V, 3) vertices and normals in head space."""
    skin, turn = scenes.skin, scenes.standpoints.turn.mT
    smooth, fine = normals @ turn, wrinkled(normals, vertices, anatomy, skin) @ turn
    through = model.skin * skin.scatter[:, None]
    light = scattered(irradiance(smooth, scenes.lighting), irradiance(fine, scenes.lighting), through)
    shade = anatomy.openness ** skin.occlusion[:, None] * _cast_shadow(skin, vertices)
    shine = gloss(fine, scenes.key, skin.gloss, skin.gloss_exponent) * (0.3 + 0.7 * model.skin)
    return _albedo(model, anatomy, scenes) * light * shade[..., None] + shine[..., None]


def wrinkled(normals: Array, vertices: Array, anatomy: Anatomy, skin: Skin) -> Array:
    """Normals (B, V, 3) tilted by wrinkles on the forehead, at the eyes and beside the mouth of vertices (B, V, 3)."""
    xp = array_namespace(normals)
    phase = skin.wrinkle_phase[:, None]
    waver = 0.5 * xp.sin(7 * vertices[..., 0] + 2 * phase)
    lines = xp.sin(2 * np.pi * vertices[..., 1] / skin.forehead_spacing[:, None] + phase + waver)
    tipped = (skin.forehead_lines[:, None] * anatomy.forehead * lines)[..., None] * like(normals, _UP)
    rays = xp.sin(2 * np.pi / CROWS_FOOT * anatomy.corner_angle + phase)
    tipped = tipped + (skin.crows_feet[:, None] * anatomy.crows_feet * rays)[..., None] * anatomy.corner_across
    return normalize(normals + tipped + skin.folds[:, None, None] * anatomy.folds)


def scattered(smooth: Array, fine: Array, share: Array) -> Array:
    """Light (B, V, 3) reflected by skin, of which a share (B, V) is scattered in it.

    `fine` is the light on its wrinkled surface, `smooth` that on the same surface without wrinkles.
    """
    xp = array_namespace(smooth)
    softened = fine + share[..., None] * like(fine, SOFTENED) * (smooth - fine)
    return softened + share[..., None] * like(fine, BLEEDING) * xp.exp(-3 * xp.clip(softened, 0, None))


def _albedo(model: FaceModel, anatomy: Anatomy, scenes: Scenes) -> Array:
    """(B, V, 3) with beards and hair on scalps."""
    skin, hair_colour = scenes.skin, scenes.hair.hair_colour[:, None]
    shaved = _mix(model.albedo(scenes.people.albedo), 0.9 * hair_colour, anatomy.beard * skin.beard[:, None])
    return _mix(shaved, hair_colour, anatomy.scalp * skin.scalp[:, None])


def _mix(below: Array, above: Array, amount: Array) -> Array:
    """Colours (B, V, 3) below and (B, 1, 3) above, by amounts (B, V) in [0, 1]."""
    return below + amount[..., None] * (above - below)


def _cast_shadow(skin: Skin, vertices: Array) -> Array:
    """Remaining light (B, V) behind a soft edge across the head."""
    xp = array_namespace(vertices)
    along = xp.sum(vertices * skin.shadow_direction[:, None], axis=-1) - skin.shadow_start[:, None]
    return 1 - skin.shadow_depth[:, None] / (1 + xp.exp(xp.clip(-along / skin.shadow_width[:, None], None, 60)))


_UP = np.array([0, 1, 0], np.float32)
