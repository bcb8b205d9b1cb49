"""What the far side of a face looks like: the near side's reflectance, without its light, in the light over there.

Highlights, shadows and coloured light of the near side are no part of the far one, so the photo is not mirrored as it
is: its light is taken off, what is left is told apart into pigment and wrong light, and the other side's light is put
on. Where that differs from what the photo shows of the far side, the difference goes on over the border and fades.
"""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.rendering.openness import sky_visibility
from deep3d.texture.atlas import Atlas
from deep3d.texture.fill import smooth, spread
from deep3d.texture.light import fallen_light, light_slope
from deep3d.texture.pigment import features, pigment
from deep3d.texture.skin_colour import back_of_head, like_the_photo, neck

DETAIL = np.float32(0.5)  # share of the contrast of the model's albedo that is believed
LIGHT_DOUBT = 0.003  # how far skin is believed to be lit evenly, beside what is seen
LIGHT = (-0.8, 0.5)  # of a logarithm, that light on the face differs from its mean
OPEN, DARKEST = np.float32(0.45), 0.3
"""Power of the share of the sky that a place sees, in the photo's coded light; and the least share: light bounces."""
EVENED = 8  # times that normals are evened over neighbours: they are rough at the neck's border
FADING = np.float32(0.01)  # pull to nothing of what light and reflectance leave, over about ten edges
DIMMEST = np.log(np.float32(1 / 2))  # gain of one side of a face over the other


def mirror_gain(
    photo: np.ndarray,
    model: np.ndarray,
    weight: np.ndarray,
    skin: np.ndarray,
    bare: np.ndarray,
    normals: np.ndarray,
    face_model: FaceModel,
    atlas: Atlas,
) -> np.ndarray:
    """Logarithm (V, 3) of what the photo at the mirrored vertex lacks to show this one.

    `photo` and `model` (V, 3) are logarithms of the colours seen and of the model's albedo; `weight` (V,) says how
    surely a vertex is seen, `skin` (V,) the same of skin, `bare` (V,) where skin may be at all.
    """
    slope = slope_on_skin(photo, model, skin, normals, face_model)
    light = (fallen_light(slope, evened(normals, atlas), skin, LIGHT) + face_model.derived(openness))[:, None]
    usual = model + skin @ (photo - light - model) / max(float(skin.sum()), 1e-3)
    sure, ones = np.zeros(len(photo), np.float32), np.ones(len(photo), np.float32)
    where = face_model.derived(features)
    off_skin = np.full(len(photo), np.inf)  # hair and eyes are as the photo shows them
    own = pigment(photo - light - usual, weight, sure, ones, where, bare, off_skin, face_model.mirror, atlas.neighbours)
    lit = like_the_photo(photo, usual + own, weight * face_model.skin) + light
    lit += _faded(photo - lit, weight, atlas)
    return np.maximum(lit - photo[face_model.mirror], DIMMEST)


def slope_on_skin(
    photo: np.ndarray, model: np.ndarray, skin: np.ndarray, normals: np.ndarray, face_model: FaceModel
) -> np.ndarray:
    """(3,) how fast the logarithm of light grows along normals (V, 3), as `skin` (V,) shows it."""
    brightness = (photo - DETAIL * model).mean(axis=1) - face_model.derived(openness)
    return light_slope(brightness, normals, skin, LIGHT_DOUBT)


def openness(face_model: FaceModel) -> np.ndarray:
    """(V,) logarithm of the light that the head itself leaves of a sky: little behind ears and under the chin.

    Nothing is said of neck and back: the neck ends without shoulders, and hair may hang there.
    """
    face = face_model.skin * (1 - np.maximum(face_model.derived(neck), face_model.derived(back_of_head) ** 4))
    return face * OPEN * np.log(np.maximum(face_model.derived(sky_visibility), DARKEST))


def evened(normals: np.ndarray, atlas: Atlas) -> np.ndarray:
    """Normals (V, 3), smooth over the mesh."""
    ones = np.ones(len(normals), np.float32)
    for _ in range(EVENED):
        normals = smooth(normals, ones, atlas.neighbours)
    return normals


def _faded(values: np.ndarray, weight: np.ndarray, atlas: Atlas) -> np.ndarray:
    """Values (V, 3), known where `weight` (V,) is high, going on to zero."""
    nothing = np.zeros((1, 3), np.float32)
    count = len(values)
    return spread(
        values,
        weight,
        np.zeros_like(values),
        atlas.neighbours,
        atlas.conductance,
        anchors=nothing,
        anchor=np.zeros(count, np.int32),
        pull=np.full(count, FADING),
    )
