"""Maps in the UV atlas: what vertices say, and finer than that what the photo's texels say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from deep3d.face_model import FaceModel
from deep3d.material.example import continued
from deep3d.material.observed import coded, linear
from deep3d.material.separation import Separated
from deep3d.texture import Atlas, Texture
from deep3d.texture.atlas import WHOLE, vertex_uv
from deep3d.texture.pigment import FINE, features, smoothed, times_wrong
from deep3d.texture.skin_colour import front_of_face
from deep3d.whole_head import PartColours, WholeHead

DARK = 0.004  # linear, added before logarithms
BESIDE = 60  # rounds of means over neighbours: how far beside the face detail is made up
SEEN = 0.9  # from which on texels show bare skin
DEEPEST = 0.5  # logarithm of detail at most
RELIEF = 4.0  # texels of a 1024 atlas that a logarithm of brightness is deep: dark is deep (Beeler et al., 2010)
STEEPEST = 0.7  # slope at most
FLAT, MATT, DULL = (128, 128, 255), (235,), (50,)  # normal, roughness and specular of a shirt
_LINES = 128  # rows of the atlas that are worked on at a time


@dataclass(frozen=True, eq=False)
class Maps:
    """Images of S x S texels; row 0 lies at v = 1."""

    base_color: np.ndarray  # (S, S, 3) uint8 sRGB
    normal: np.ndarray  # (S, S, 3) uint8, tangent space, green up, 128 is 0
    roughness: np.ndarray  # (S, S) uint8
    specular: np.ndarray  # (S, S) uint8: 255 is a reflectance of 0.08 at normal incidence


def paint_maps(
    separated: Separated, texture: Texture, colours: np.ndarray, model: FaceModel, parts: PartColours
) -> Maps:
    """The maps, as large as the texture. `colours` (V, 3) are the vertices' linear colours in the photo."""
    atlas = Atlas.of(model, len(texture.weight))
    known = texture.weight.astype(np.float32) / 255
    coarse = over_texels(atlas, model, np.log(np.maximum(colours, 0) + DARK))
    detail = np.clip(np.log(linear(texture.image / np.float32(255)) + DARK) - coarse, -DEEPEST, DEEPEST)
    del coarse
    skin = over_texels(atlas, model, model.skin[:, None])
    detail *= known[..., None]
    detail, shown = _completed(detail, known, atlas, model)
    wrong = times_wrong(separated.doubt, separated.grazing, model.derived(features))
    pigment = FINE.albedo_in(detail, over_texels(atlas, model, wrong[:, None])[..., 0])
    relief = (detail - FINE.albedo_in(detail, np.ones(1))).mean(axis=2, keepdims=True)
    pigment += (1 - skin) * (detail - pigment)  # hair and eyes
    bare, beside = np.moveaxis(over_texels(atlas, model, model.derived(_bare_and_beside)), 2, 0)
    bare = (known > SEEN) & (bare > SEEN)
    both = continued(np.concatenate([pigment, relief], axis=2), beside * skin[..., 0] * (1 - shown), bare)
    pigment, relief = both[..., :3], both[..., 3]
    albedo = np.exp(over_texels(atlas, model, np.log(separated.albedo)) + pigment)
    base = np.rint(coded(albedo) * 255).astype(np.uint8)
    atlas.close_gaps(base)
    normal = _normals(relief * skin[..., 0])
    gloss = np.stack([separated.gloss.roughness, separated.gloss.specular / 0.08], axis=1)
    shine = np.rint(np.clip(over_texels(atlas, model, gloss), 0, 1) * 255).astype(np.uint8)
    whole = WholeHead.of(model)
    others = (normal, FLAT), (shine[..., 0].copy(), MATT), (shine[..., 1].copy(), DULL)
    return Maps(whole.painted(base, parts, lit=False), *(whole.filled(image, shirt) for image, shirt in others))


def over_texels(atlas: Atlas, model: FaceModel, values: np.ndarray) -> np.ndarray:
    """(S, S, C) float32 of values (V, C) at the vertices; texels between the charts have the nearest chart's."""
    size, values = len(atlas.triangle), values.astype(np.float32)
    image = np.empty((size, size, values.shape[1]), np.float32)
    for start in range(0, size, _LINES):
        rows = slice(start, start + _LINES)
        corners = model.triangles[np.maximum(atlas.triangle[rows], 0)]
        first, second = np.moveaxis(atlas.weights[rows].astype(np.float32) / WHOLE, 2, 0)[..., None]
        third = 1 - first - second
        image[rows] = (
            values[corners[..., 0]] * first + values[corners[..., 1]] * second + values[corners[..., 2]] * third
        )
    between, source = atlas.gutter.T
    flat = image.reshape(size * size, -1)
    flat[between] = flat[source]
    return image


def _bare_and_beside(model: FaceModel) -> np.ndarray:
    """(V, 2) in [0, 1]: the face without brows and lids, and the face with what lies beside it.

    The atlas stretches the neck, and made-up pores with it.
    """
    front = np.clip(model.derived(front_of_face), 0, 1)
    near = smoothed(np.repeat(front[:, None], 3, axis=1), np.ones(len(front)), Atlas.of(model).neighbours, BESIDE)
    return np.stack([model.skin * (1 - model.derived(features)) * front, np.clip(2 * near[:, 0], 0, 1)], axis=1)


def _completed(detail: np.ndarray, known: np.ndarray, atlas: Atlas, model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Detail (S, S, 3) where it is not known: that of the other side, mirrored; and how far it is known then (S, S)."""
    size = len(known)
    place = over_texels(atlas, model, model.derived(_mirrored_uv) * [size, -size] + [-0.5, size - 0.5])
    where = place[..., 1], place[..., 0]
    there = map_coordinates(known, where, order=1, mode="nearest")
    out = np.empty_like(detail)
    for channel in range(3):
        other = map_coordinates(detail[..., channel], where, order=1, mode="nearest")
        out[..., channel] = detail[..., channel] + (1 - known) * there * other
    return out, known + (1 - known) * there


def _mirrored_uv(model: FaceModel) -> np.ndarray:
    """(V, 2) where the vertex of the other side lies in the atlas."""
    return vertex_uv(model)[model.mirror]


def _normals(shading: np.ndarray) -> np.ndarray:
    """Stage III: a normal map (S, S, 3) uint8 of the shading (S, S) that is left over, logarithms."""
    size = len(shading)
    height = RELIEF * size / 1024 * gaussian_filter(shading, 0.7)
    down, across = np.gradient(height.astype(np.float32))
    slopes = np.clip(np.stack([-across, down], axis=2), -STEEPEST, STEEPEST)
    length = np.sqrt(1 + (slopes**2).sum(axis=2, keepdims=True))
    unit = np.concatenate([slopes, np.ones_like(length)], axis=2) / length
    return np.rint(np.clip(unit * 0.5 + 0.5, 0, 1) * 255).astype(np.uint8)
