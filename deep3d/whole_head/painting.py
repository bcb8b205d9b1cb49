"""Paint the parts of a head into the texture of its face model.

The bust's skin has the colours of the vertices that carry it, its shirt those of the clothes. The mouth has a palette:
rows of enamel, gums, tongue and lashes, from dark to light. Enamel is as the photo shows it between the lips, as far as
teeth can be, else as the texture has the model's own; the others are in the same light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from deep3d.face_model import FaceModel
from deep3d.texture.atlas import WHOLE, Atlas, cover, vertex_texels
from deep3d.whole_head.colours import GREY, PartColours
from deep3d.whole_head.parts import BODY, COLLAR, Parts

MARGIN = 4.0  # texels round the bust that take its colours, since filters look there
BORDER = 0.08  # of the palette, on the left and right: black, and full light
ENAMEL = np.array([232.0, 222.0, 204.0], np.float32)  # of 255, in good light
OTHERS = np.array([[122, 70, 66], [176, 98, 96], [52, 38, 30]], np.float32)
"""Gums, tongue, lashes in that light. Gums lie in the shade of lips: lit, they are red dots in a mouth's corners."""
BRIGHTEST = 92  # percentile of brightness: lips, gaps and what the photo does not show are darker than teeth
PLAIN = np.float32(0.7)  # share of the usual hue of enamel, beside that of the photo: it is small, and lips are near
LEAST = (120.0, 0.45)  # brightness below which nothing is enamel: of 255, and more for bright skin
MOST = 240.0
HUED = 0.12  # red over blue of skin, relative, from which a photo has colours
SKIN = 0.9  # of the model's mask, from where a vertex is surely facial skin
WEAVE = 0.05  # standard deviation of the brightness of cloth


@dataclass(frozen=True, eq=False)
class Canvas:
    """Where the parts lie in a texture of S x S texels."""

    parts: Parts
    size: int  # S
    texels: np.ndarray  # (N,) flat indices of the bust's texels
    corners: np.ndarray  # (N, 3) vertices of the whole head between which each lies
    weights: np.ndarray  # (N, 3) float32
    places: np.ndarray  # (V,) flat index of a texel at each vertex of the model
    skin: np.ndarray  # (V,) bool, facial skin
    weave: np.ndarray  # (N, 1) float32 brightness of threads, 1 for skin
    palette: tuple[slice, slice]  # rows and columns

    @classmethod
    def of(cls, face_model: FaceModel, parts: Parts, size: int) -> Canvas:
        """The canvas of a texture of a size, cached with the model."""
        return face_model.derived(_build, parts, size)

    def painted(self, texture: np.ndarray, parts: PartColours, lit: bool) -> np.ndarray:
        """A copy of a texture (S, S, 3) uint8 with the parts, in their light or without it."""
        colours, skin = self._at_vertices(texture), self.skin_colour(texture)
        bust = parts.over(self.parts.bust(colours), self.parts.worn, skin)
        if lit:
            bust *= self.parts.light[:, None]
        painted = self._with_bust(texture, colours, bust, self.weave)
        teeth = colours[self.parts.enamel] if parts.enamel is None else parts.enamel[None] * (skin @ GREY)
        painted[self.palette] = self._palette(mouth_colours(teeth, skin))
        return painted

    def filled(self, image: np.ndarray, shirt: tuple[int, ...] | None) -> np.ndarray:
        """A copy of an image (S, S) or (S, S, n) uint8 of something else, such as roughness, with the parts.

        Skin is as on the vertices that carry it, the mouth as the model's teeth are, and `shirt` is what a shirt
        has, like skin if it is not given.
        """
        values = self._at_vertices(image)
        bust = self.parts.bust(values)
        if shirt is not None:
            bust[self.parts.worn > 0] = shirt
        filled = self._with_bust(image, values, bust, np.ones((1, 1), np.float32))
        filled[self.palette] = np.median(values[self.parts.enamel], axis=0).astype(np.uint8)
        return filled

    def part_colours(self, texture: np.ndarray) -> PartColours:
        """Those that a texture (S, S, 3) uint8 was `painted` with, in its own values without light."""
        flat = texture.reshape(self.size**2, -1)
        worn = np.pad(self.parts.worn, (len(self.places), 0))[self.corners]
        shirt = [flat[self.texels[(worn == kind).all(axis=1)]].mean(axis=0) for kind in (COLLAR, BODY)]
        enamel = texture[self.palette][len(texture[self.palette]) // 8, -1]
        level = np.float32(max(float(self.skin_colour(texture) @ GREY), 1))
        return PartColours(np.stack(shirt).astype(np.float32) / level, enamel.astype(np.float32) / level)

    def skin_colour(self, texture: np.ndarray) -> np.ndarray:
        """(3,) float32 mean of the facial skin in a texture (S, S, 3) uint8."""
        return texture.reshape(self.size**2, -1)[self.places[self.skin]].astype(np.float32).mean(axis=0)

    def _at_vertices(self, image: np.ndarray) -> np.ndarray:
        """(V, n) float32 values of an image at the model's vertices."""
        return image.reshape(self.size**2, -1)[self.places].astype(np.float32)

    def _with_bust(self, image: np.ndarray, values: np.ndarray, bust: np.ndarray, weave: np.ndarray) -> np.ndarray:
        """A copy of an image with the values of the model's vertices (V, n) and of the bust's points (B, n) in it."""
        flat = image.reshape(self.size**2, -1).copy()
        shown = np.einsum("nkc,nk->nc", np.concatenate([values, bust])[self.corners], self.weights)
        flat[self.texels] = np.clip(shown * weave + 0.5, 0, 255)
        return flat.reshape(image.shape)

    def _palette(self, rows: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8: each of the colours (n, 3) from black on the left to itself on the right."""
        height, width = (part.stop - part.start for part in self.palette)
        share = np.clip(((np.arange(width) + 0.5) / width - BORDER) / (1 - 2 * BORDER), 0, 1)
        which = np.minimum(np.arange(height) * len(rows) // height, len(rows) - 1)
        return np.clip(rows[which][:, None] * share[None, :, None] + 0.5, 0, 255).astype(np.uint8)


def mouth_colours(teeth: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """(4, 3) colours of enamel, gums, tongue and lashes, given those at the teeth (E, 3) and of skin (3,), 0..255."""
    brightness = teeth @ GREY
    level = np.percentile(brightness, BRIGHTEST)
    seen = teeth[brightness >= level].mean(axis=0)
    bright = np.clip(level, LEAST[0] + LEAST[1] * float(skin @ GREY), MOST)
    hue = PLAIN * ENAMEL / (ENAMEL @ GREY) + (1 - PLAIN) * seen / max(float(seen @ GREY), 1)
    enamel = hue * bright
    hued = np.clip((skin[0] - skin[2]) / max(float(skin[0]), 1) / HUED, 0, 1)
    others = OTHERS * (bright / (ENAMEL @ GREY))
    grey = (others @ GREY)[:, None]
    return np.concatenate([enamel[None], grey + hued * (others - grey)])


def _build(face_model: FaceModel, parts: Parts, size: int) -> Canvas:
    bust = (parts.triangles < len(face_model.mean_shape) + len(parts.light)).all(axis=1)
    triangles = parts.triangles[bust]
    triangle, weights = cover((parts.uv * [size, -size] + [-0.5, size - 0.5])[parts.uv_triangles[bust]], size)
    covered = triangle >= 0
    distance, nearest = distance_transform_edt(~covered, return_indices=True)  # type: ignore[misc]
    charts = Atlas.of(face_model, size).triangle >= 0
    rows, columns = np.nonzero(covered | ((distance <= MARGIN) & ~charts))
    source = nearest[0][rows, columns], nearest[1][rows, columns]
    first, second = weights[source].astype(np.float32).T / WHOLE
    left, bottom, right, top = np.rint(parts.palette * size).astype(int)
    corners = triangles[triangle[source]]
    shirt = np.all(np.pad(parts.worn, (len(face_model.mean_shape), 0))[corners] > 0, axis=1)
    threads = np.random.default_rng(0).normal(1, WEAVE, len(shirt)).astype(np.float32)
    return Canvas(
        parts=parts,
        size=size,
        texels=rows * size + columns,
        corners=corners,
        weights=np.stack([first, second, 1 - first - second], axis=1),
        places=vertex_texels(face_model, size) @ [1, size],
        skin=face_model.skin > SKIN,
        weave=np.where(shirt, threads, np.float32(1))[:, None],
        palette=(slice(size - top, size - bottom), slice(left, right)),
    )
