"""Unwrap a photo into the UV atlas of a face model and fill what the photo does not show.

Visible texels take the photo, weighted by angle and by distance from silhouettes. What it does not show is completed
in reflectance and then lit by the photo's light: first from the mirrored point of the face, then from the model's own
colours. Both are matched to the photo's low frequencies over the mesh, and toward the outline of the head the photo to
theirs, so that colours agree where sources meet (`transition.py`). Hair colours stay on the scalp; hidden skin
approaches the mean of the visible skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.arrays import Array
from deep3d.errors import ShapeError
from deep3d.face_model import FaceModel
from deep3d.texture.atlas import Atlas
from deep3d.texture.compose import Source, compose
from deep3d.texture.fill import DARK, logarithm, near_known, spread
from deep3d.texture.grain import strength
from deep3d.texture.hair import Hair, hairline, nape, scalp
from deep3d.texture.light import fallen_light
from deep3d.texture.reflectance import DETAIL, evened, mirror_gain, openness, slope_on_skin
from deep3d.texture.sampling import Picture
from deep3d.texture.skin_colour import (
    back_of_head,
    eyeballs,
    front_of_face,
    like_the_photo,
    mouth_interior,
    neck,
    skin_likeness,
    uncovered,
)
from deep3d.texture.transition import bare_skin, tones, trusted, with_tone
from deep3d.texture.view import angle_weight, facing, render_view, seen_vertices, smoothstep

FACE_ON, UPWARD = 0.8, 0.4  # cosines to the camera, from which facial skin and hairline fit well
BRIGHTEST = np.log(np.float32(2))  # gain of one side of a face over the other: more would amplify noise
FIRM, CROWN, LOOSE = 0.15, 0.35, 0.9
"""Decimetres inside the mesh's outline from which a photo surely shows the head: where the mesh fits well; on the
scalp, whose height is a guess; and elsewhere, since necks have collars."""
SKIN_PULL, HAIR_PULL = np.float32(0.005), np.float32(0.3)
"""Pull of the mean visible skin on hidden skin, which forgets shadows after about 14 edges; and of hair, sooner."""
NECK_PULL = np.float32(3.0)  # times more on the neck: the shadow under the chin is no colour of skin
TEMPLES = 0.9  # share by which hair elsewhere counts less where a fringe is seen: the crown goes on from it, lit alike
FRINGE = 0.1  # from which a vertex of the forehead counts as hair under a fringe
UNDER_LIDS = np.float32(np.log(0.75))  # light on the whites of eyes beside that on skin
SURE = 0.95  # of skin in front of the camera, from where its grain is measured
UNSEEN = np.float32(0.01)  # what skin that is not seen counts for the mean, beside 1 for what is
ON_HEAD = (0.5, 0.9)  # of a mask of the head, from where the photo's colour may be, and surely is, that of the scalp
TURNED = (0.45, 0.75)  # cosines to the camera, up to where a mask is believed on skin too, and from where it is not
LIGHT = (-0.3, 0.3)  # of a logarithm, that light on what is not seen differs from its mean
FROM_THE_FRONT = 0.3  # share of the light from the camera: what lights the other side is not seen


@dataclass(frozen=True)
class Texture:
    """A UV image of S x S texels; row 0 is at v = 1."""

    image: np.ndarray  # (S, S, 3) uint8 sRGB
    weight: np.ndarray  # (S, S) uint8, 255 where the colour is from the photo, 0 where it is filled in


def extract_texture(
    photo: np.ndarray,
    placed_vertices: np.ndarray,
    pixels: np.ndarray,
    depth: np.ndarray,
    face_model: FaceModel,
    albedo: np.ndarray,
    size: int = 1024,
    masks: np.ndarray | None = None,
) -> Texture:
    """The texture (size, size) of a face in a photo.

    `photo` is (H, W, 3) uint8, upright; `placed_vertices` (V, 3) lie in model space after rotation and translation,
    decimetres, seen from (0, 0, z + depth); `pixels` (V, 2) and `depth` (V,) are each vertex's place in the
    photo, in pixels and decimetres; `albedo` (V, 3) are the model's colours without light, RGB in [0, 1];
    `masks` (V, 3) say how far it shows hair at each vertex (nowhere on bald heads), any part of the head, and glasses.

    Raises: ShapeError if an array is not as described.
    """
    _check(photo, placed_vertices, pixels, depth, albedo, len(face_model.mean_shape))
    atlas, normals = Atlas.of(face_model, size), face_model.normals(placed_vertices[None])[0]
    cosine = facing(placed_vertices, normals, depth)
    view = render_view(photo, placed_vertices, pixels, depth, _doubt(cosine, face_model), face_model.triangles)
    angle, turned = angle_weight(cosine), 1 - smoothstep(cosine, *TURNED)  # away from the camera
    on_head = _on_head(turned, face_model, masks)
    weight = seen_vertices(view, pixels, depth, angle) * on_head
    picture = view.part(photo).reduce(_density(pixels, face_model.triangles, atlas.texel_area, weight))
    colours = _vertex_colours(picture, pixels, face_model.triangles)
    hair = Hair.seen(colours, weight, face_model, None if masks is None else masks[:, 0])
    trust, sharp = trusted(cosine, bare_skin(hair, face_model, masks), masks)
    likeness = skin_likeness(colours, weight, turned, face_model) * (1 - hair.covered) * on_head * sharp
    weight *= likeness
    angle = np.where(near_known(weight, atlas.neighbours), angle * likeness, np.float32(0))
    tone, steady = tones(colours, weight, trust, atlas.neighbours)
    on_skin, bare = _bare(colours, weight, face_model, masks)
    gain, fill = _match(steady, 255 * albedo, on_skin, bare, trust, hair, normals, face_model, atlas)
    shown = Source(picture.positions(pixels), depth, angle, weight, np.ones_like(gain))
    grain = _grain(picture, pixels, weight * trust, hair, face_model, masks)
    sources = with_tone(shown, face_model.mirror, _for_hair(gain, face_model, masks), tone, fill, trust)
    return Texture(*compose(picture, view, *sources, fill, grain, face_model.triangles, atlas))


def _bare(
    colours: np.ndarray, weight: np.ndarray, face_model: FaceModel, masks: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Weight (V,) without glasses, whose frames and reflections do not go on; how far that is bare skin (V,)."""
    on_skin = weight if masks is None else weight * (1 - masks[:, 2])
    return on_skin, uncovered(colours, on_skin, face_model)


def _grain(
    picture: Picture, pixels: np.ndarray, sure: np.ndarray, hair: Hair, face_model: FaceModel, masks: np.ndarray | None
) -> np.ndarray:
    """(V,) standard deviation of the grain that skin needs to look like what is seen in front, `sure` (V,) of it."""
    front = sure * face_model.derived(front_of_face) > SURE
    return bare_skin(hair, face_model, masks) * strength(picture, pixels[front])


def _for_hair(gain: np.ndarray, face_model: FaceModel, masks: np.ndarray | None) -> np.ndarray:
    """Gains (V, 3) of which none brightens hair, where the masks (V, 3) have it at the mirrored vertex.

    Skin of the other side may be brighter, but grey temples with its gain would be white.
    """
    if masks is None:
        return gain
    return gain + masks[face_model.mirror, :1] * (np.minimum(gain, 1) - gain)


def _on_head(turned: np.ndarray, face_model: FaceModel, masks: np.ndarray | None) -> np.ndarray:
    """(V,) in [0, 1]: whether the photo shows the head where it has each vertex, by the masks (V, 3).

    The scalp's height is a guess, and so is how far cheeks and jaw, `turned` (V,) away, go back: behind them are walls
    and collars.
    """
    if masks is None:
        return np.ones(len(turned), np.float32)
    unsure = np.maximum(face_model.derived(scalp), turned)
    return (1 - unsure * (1 - smoothstep(masks[:, 1], *ON_HEAD))).astype(np.float32)


def _doubt(cosine: np.ndarray, face_model: FaceModel) -> np.ndarray:
    """Distance inside the outline from which each vertex (V,) surely shows the head, by its cosine to the camera."""
    firm = (cosine * face_model.derived(front_of_face) > FACE_ON) | (face_model.derived(hairline) & (cosine > UPWARD))
    return np.where(firm, FIRM, np.where(face_model.derived(scalp) > 0.5, CROWN, LOOSE)).astype(np.float32)


def _check(photo: np.ndarray, vertices: Array, pixels: Array, depth: Array, albedo: Array, count: int) -> None:
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ShapeError(f"photo: expected (H, W, 3) uint8, got {photo.shape} {photo.dtype}")
    expected = {
        "placed_vertices": (vertices, (count, 3)),
        "pixels": (pixels, (count, 2)),
        "depth": (depth, (count,)),
        "albedo": (albedo, (count, 3)),
    }
    for name, (value, shape) in expected.items():
        if value.shape != shape:
            raise ShapeError(f"{name}: expected shape {shape} for this face model, got {value.shape}")


def _match(
    colours: np.ndarray,
    model: np.ndarray,
    weight: np.ndarray,
    bare: np.ndarray,
    trust: np.ndarray,
    hair: Hair,
    normals: np.ndarray,
    face_model: FaceModel,
    atlas: Atlas,
) -> tuple[np.ndarray, np.ndarray]:
    """Per vertex (V, 3): the gain that the mirrored photo needs, and colours that go on from the photo's.

    The tone of the photo's `colours` (V, 3) has some `trust` (V,).
    """
    mirror = face_model.mirror
    photo, model = logarithm(colours), logarithm(model)
    model = like_the_photo(photo, model, weight * face_model.skin)
    sure = np.maximum(weight * bare * face_model.skin - hair.fringe, 0)
    gain = mirror_gain(photo, model, weight, sure, bare_skin(hair, face_model, None), normals, face_model, atlas)
    model = _plain(model, weight, hair, face_model)
    beside = (1 - weight) * weight[mirror]
    share = (beside / np.maximum(weight + beside, 1e-6))[:, None]
    photo += share * (photo[mirror] + gain - photo)
    weight = weight * trust
    beside = (1 - weight) * weight[mirror]
    known = weight + beside
    skin = (weight * bare + beside * bare[mirror]) * face_model.skin - hair.fringe
    return np.exp(np.minimum(gain, BRIGHTEST)), _fill(photo, model, known, skin, hair, normals, face_model, atlas)


def _fill(
    photo: np.ndarray,
    model: np.ndarray,
    known: np.ndarray,
    skin: np.ndarray,
    hair: Hair,
    normals: np.ndarray,
    face_model: FaceModel,
    atlas: Atlas,
) -> np.ndarray:
    """Colours (V, 3) that go on from the photo's where it is `known` (V,), toward those of `skin` (V,) and of hair.

    `photo` and `model` (V, 3) are logarithms. Colours go on without the light, which is that of `normals` (V, 3).
    """
    light = _light(photo, model, np.maximum(skin, 0), normals, face_model, atlas)[:, None]
    photo = photo - light
    hairy = (1 - TEMPLES * hair.fringed) * hair.on_scalp + hair.fringe
    surroundings = [skin, hairy + hair.bald * (skin - hairy)]
    mean_tint = _mean(photo - model, skin)
    anchors, anchor, pull = _anchors(photo - DETAIL * model, surroundings, hair, face_model)
    tint = spread(
        photo - DETAIL * model,
        known,
        (1 - DETAIL) * model + mean_tint,
        atlas.neighbours,
        np.maximum(atlas.conductance, _through(hair, face_model, atlas)[:, None]),
        anchors=anchors,
        anchor=anchor,
        pull=pull,
    )
    # Teeth and the whites of eyes take the light of the photo, but neither the hue of skin nor that of lips and lashes.
    inside = face_model.derived(mouth_interior) | face_model.derived(eyeballs)
    tint[inside] = (1 - DETAIL) * model[inside] + mean_tint.mean()
    tint[face_model.derived(eyeballs)] += UNDER_LIDS
    return np.clip(np.exp(tint + DETAIL * model + light) - DARK, 0, 255)


def _light(
    photo: np.ndarray, model: np.ndarray, skin: np.ndarray, normals: np.ndarray, face_model: FaceModel, atlas: Atlas
) -> np.ndarray:
    """(V,) logarithms of the light on the head, as far as it shows on `skin` (V,)."""
    slope = slope_on_skin(photo, model, skin, normals, face_model) * [1, 1, FROM_THE_FRONT]
    slope[2] = max(slope[2], 0)  # bright rims tell of lamps at the sides, not behind
    rough = np.max([face_model.derived(part) for part in (neck, scalp, back_of_head)], axis=0)[:, None]
    light = fallen_light(slope, normals + rough * (evened(normals, atlas) - normals), skin, LIGHT)
    light += face_model.derived(openness)
    light[face_model.derived(mouth_interior) | face_model.derived(eyeballs)] = 0
    return light


def _anchors(
    tint: np.ndarray, surroundings: list[np.ndarray], hair: Hair, face_model: FaceModel
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours (2, 3) that hidden skin and scalp approach: which of them each vertex does (V,), and how much (V,).

    They are means of logarithms `tint` (V, 3) by the weights of `surroundings`, two of (V,): of skin, and of the scalp.
    A nape with hair approaches neither: there hair, cut shorter and shorter, becomes skin.
    """
    # without visible parts there is no mean
    seen = [min(part.sum(), np.float32(1)) for part in surroundings]
    crown_pull = HAIR_PULL + np.float32(max(hair.bald, hair.fringed)) * (SKIN_PULL - HAIR_PULL)
    top = face_model.derived(scalp)
    on_skin = SKIN_PULL * seen[0] * (face_model.skin + NECK_PULL * face_model.derived(neck))
    on_scalp = crown_pull * seen[1] * top * (1 - (1 - hair.bald) * face_model.derived(nape))
    covered = top > 0.5
    anchors = np.stack([_mean(tint, part) for part in surroundings])
    return anchors, covered.astype(np.int32), np.where(covered, on_scalp, on_skin)


def _plain(model: np.ndarray, weight: np.ndarray, hair: Hair, face_model: FaceModel) -> np.ndarray:
    """Logarithms (V, 3) of the model's colours, all skin alike under hair and, on a bald head, behind the face."""
    hairy = np.maximum(face_model.derived(scalp), hair.fringed * (hair.fringe > FRINGE))
    alike = np.minimum(hairy + hair.bald * (face_model.skin - face_model.derived(front_of_face)), 1)
    mean = _mean(model, (weight + UNSEEN) * face_model.skin)
    return model + alike[:, None].astype(np.float32) * (mean - model)


def _through(hair: Hair, face_model: FaceModel, atlas: Atlas) -> np.ndarray:
    """How well colours spread over the border of the scalp at each vertex (V,).

    They do at the nape, under a fringe, and on a bald head.
    """
    front, behind, everywhere = (_and_around(face_model.derived(part) > 0, atlas) for part in (hairline, nape, scalp))
    return np.max([max(hair.bald, hair.fringed) * front, behind, hair.bald * everywhere], axis=0)


def _and_around(mask: np.ndarray, atlas: Atlas) -> np.ndarray:
    """A mask (V,) of vertices and their neighbours."""
    around = atlas.neighbours[mask]
    grown = mask.copy()
    grown[around[around >= 0]] = True
    return grown


def _mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(3,) mean of (V, 3) values by weight (V,), near 0 where all weights are."""
    return weight @ values / max(float(weight.sum()), 1e-3)


def _density(pixels: np.ndarray, triangles: np.ndarray, texel_area: np.ndarray, weight: np.ndarray) -> int:
    """Photo pixels for one texel, across, where the photo counts most; at least 1."""
    seen_pixels, texels = _sure_areas(pixels, triangles, texel_area, weight)
    return max(1, int(np.sqrt(seen_pixels / max(texels, 1e-9)) + 0.25))


@numba.njit(cache=True, nogil=True)
def _sure_areas(pixels, triangles, texel_area, weight):
    """Photo pixels and texels of all the triangles that the photo surely shows."""
    seen_pixels = texels = 0.0
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        if min(weight[a], weight[b], weight[c]) > 0.9:
            bx, by = pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1]
            cx, cy = pixels[c, 0] - pixels[a, 0], pixels[c, 1] - pixels[a, 1]
            seen_pixels += 0.5 * abs(bx * cy - by * cx)
            texels += texel_area[t]
    return seen_pixels, texels


def _vertex_colours(picture: Picture, pixels: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Photo colours (V, 3) at the vertices, from a copy as coarse as half the mesh's edges."""
    step = np.median(_edge_lengths(pixels, triangles)) / picture.step / 2
    return picture.reduce(max(1, int(step))).sample(pixels)


@numba.njit(cache=True, nogil=True)
def _edge_lengths(pixels, triangles):
    """Photo pixels from the first to the second corner of each triangle (T,)."""
    lengths = np.empty(len(triangles))
    for t in range(len(triangles)):
        a, b = triangles[t, 0], triangles[t, 1]
        lengths[t] = np.hypot(pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1])
    return lengths
