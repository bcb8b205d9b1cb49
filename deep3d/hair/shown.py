"""What one photo shows of a shell: which points, their smooth colours, and the light that falls on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from deep3d.hair.head import Head
from deep3d.hair.light import light_on_hair, light_on_skin, normals_of
from deep3d.hair.mask import HairMask, sampled
from deep3d.texture.blur import gaussian
from deep3d.texture.fill import logarithm
from deep3d.texture.sampling import Picture, resampled
from deep3d.texture.view import smoothstep

FACING = (0.3, 0.6)  # cosines between the shell's normal and the view, where the photo begins to count and fully does
HIDDEN = 0.06  # decimetres behind the head
CORE = (0.5, 0.72)  # of the mask: from where the photo's colour begins to be hair's and surely is
BARE = (0.5, 0.8)  # of skin in the mask: from where the shell begins to let it through and surely does
BLUR = 2.5  # mask pixels, of smooth colours
SURE, LEAST_PIXELS = 0.95, 50  # of the mask, from where a pixel tells of the usual colour; fewer of them do not
DARK_HAIR, FAIR_HAIR = np.log([80.0, 150.0])  # median brightness of hair that surely is dark, and surely fair
BODY, HALF = (0.42, 0.6), 0.25
"""Shares of the pixels that are darker than those whose hue counts, of dark and of fair hair, and how many beside:
the gloss of dark hair has the colour of the sky, and what is dark among fair hair is skin."""
NATURAL, RECOLOURED = (0.4, 0.4), 0.2
"""The step from green to red is at least so much of that from blue to green, or hair is greenish; and that from blue to
green of that from green to red, or it is purple. The light does that by so much of a logarithm: dye does more."""
FINER = 2  # pixels, for one of the mask, at which strands are looked at


@dataclass(frozen=True, eq=False)
class Shown:
    """The POINTS points of a shell's outer side in a photo. Colours are logarithms of 0..255, see `logarithm`."""

    mask: HairMask
    head: Head
    picture: Picture  # the part of the photo that the mask is of, as fine as the shell's texels
    core: np.ndarray  # (h, w) float32: how surely the mask has hair, also round a pixel
    places: np.ndarray  # (POINTS, 2) in the mask
    seen: np.ndarray  # (POINTS,) float32 in [0, 1]: how well the photo would show the point
    weight: np.ndarray  # (POINTS,) float32 in [0, 1]: how well it shows hair there
    even: np.ndarray  # (POINTS, 3) float32 smooth colours of the hair there, without its light
    light: np.ndarray  # (POINTS, 1) float32: how much the light brightens each point
    usual: np.ndarray  # (3,) colour of the hair, neither of its gloss nor of what borders on it

    @classmethod
    def of(cls, photo: np.ndarray, mask: HairMask, head: Head, outer: np.ndarray) -> Shown:
        """Of points (POINTS, 3) in an (H, W, 3) uint8 photo, with the mask of its hair."""
        places, depth = head.to_mask(outer)
        small = colours_of(photo, mask)
        core = ndimage.minimum_filter(mask.hair, 3) * mask.inside
        seen = _seen(mask, head, outer, places, depth)
        weight = seen * smoothstep(sampled(core, places), *CORE)
        sure = smoothstep(core, *CORE)
        weighted = gaussian(np.dstack([small, np.ones_like(sure)]) * sure[..., None], BLUR)
        blurred = weighted[..., :3] / (weighted[..., 3:] + 1e-4)
        colours = logarithm(np.stack([sampled(blurred[..., k], places) for k in range(3)], axis=1))
        light = light_on_hair(colours.mean(axis=1), weight, outer, light_on_skin(small, mask, head))[:, None]
        usual = usual_colour(small, sure)
        return cls(mask, head, _part(photo, mask), core, places, seen, weight, colours - light, light, usual)

    def hair_pixels(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Pixels (h, w, 3) about as fine as strands, how surely they are hair (h, w), and their size in decimetres."""
        fine = self.picture.reduce(max(1, round(self.mask.step / self.picture.step / FINER)))
        hair = _on_pixels_of(fine, self.core * (1 - self.mask.hat), self.mask)
        return fine.pixels, hair, fine.step / self.mask.step / self.mask.density

    def positions(self) -> np.ndarray:
        """(POINTS, 2) columns and rows in the picture."""
        return self.picture.positions(self.places * self.mask.step + self.mask.origin)

    def cores(self) -> np.ndarray:
        """(3, h, w) float32 how surely a pixel is hair or skin, hair, and bare skin, also round it."""
        mask = self.mask
        scalp = np.maximum(self.core, ndimage.minimum_filter(mask.hair + mask.skin, 3) * mask.inside)
        bare = ndimage.minimum_filter(mask.skin * (1 - mask.hair), 3) * mask.inside
        return np.stack([scalp, self.core, bare]).astype(np.float32)

    def to_mask(self) -> tuple[np.float32, np.float32, np.float32]:
        """Scale and shifts, across and down, from the picture's pixels to the mask's."""
        across, down = (self.picture.origin - self.mask.origin) / self.mask.step
        return np.float32(self.picture.step / self.mask.step), np.float32(across), np.float32(down)


def usual_colour(colours: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """(3,) logarithm of the usual colour of hair in a picture (h, w, 3) of 0..255, which is `sure` (h, w) to be hair.

    It is as bright as the median, and has the hue of what is neither glossy nor in the dark.
    """
    if (sure > SURE).sum() < LEAST_PIXELS:
        return logarithm((colours * sure[..., None]).sum(axis=(0, 1)) / max(float(sure.sum()), 1e-3))
    hair = logarithm(colours[sure > SURE])
    level = hair.mean(axis=1)
    usual = np.median(level)
    middle = BODY[0] + (BODY[1] - BODY[0]) * smoothstep(usual, DARK_HAIR, FAIR_HAIR)
    low, high = np.quantile(level, [middle - HALF, middle + HALF])
    body = (level >= low) & (level <= high)
    return (usual + _natural(np.median(hair[body] - level[body, None], axis=0))).astype(np.float32)


def _natural(hue: np.ndarray) -> np.ndarray:
    """(3,) the hue of a logarithm of a colour as melanin has it: red is no darker than green, nor green than blue."""
    red, blue = hue[0] - hue[1], hue[1] - hue[2]
    warmer = np.clip(NATURAL[0] * max(blue, 0) - red, 0, RECOLOURED)
    less_blue = np.clip(NATURAL[1] * max(red, 0) - blue, 0, RECOLOURED)
    natural = hue + [warmer, 0, -less_blue]
    return natural - natural.mean()


def colours_of(photo: np.ndarray, mask: HairMask) -> np.ndarray:
    """(h, w, 3) float32 colours of the mask's pixels."""
    down, across = (np.arange(count) * mask.step + start for count, start in zip(mask.hair.shape, mask.origin[::-1]))
    picture = _part(photo, mask)
    return picture.reduce(max(1, round(mask.step / picture.step))).resample(across, down)


def _part(photo: np.ndarray, mask: HairMask) -> Picture:
    """The part of the photo that the mask is of, as fine as the shell's texels."""
    height, width = photo.shape[:2]
    size = np.array(mask.hair.shape[::-1]) * mask.step
    left, top = np.clip(mask.origin, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(mask.origin + size, [left + 1, top + 1], [width, height]).astype(int)
    return Picture.cut(photo, left, top, right, bottom).reduce(max(1, int(mask.step / 3)))


def _on_pixels_of(picture: Picture, values: np.ndarray, mask: HairMask) -> np.ndarray:
    """Bilinear values of a mask's pixels (h, w) at those of a picture, float32; borders go on outside."""
    across, down = (
        (picture.step * np.arange(count) + start) / mask.step
        for count, start in zip(picture.pixels.shape[1::-1], picture.origin - mask.origin)
    )
    return resampled(values[..., None], across, down)[..., 0]


def _seen(mask: HairMask, head: Head, outer: np.ndarray, places: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(POINTS,) how well the photo would show each point of the outer side."""
    facing = (normals_of(outer) * head.view(outer)).sum(axis=1)
    inside = sampled(mask.inside.astype(np.float32), places) > 0.9
    behind = depth > ndimage.map_coordinates(head.depth, places[:, ::-1].T, order=0, mode="nearest") + HIDDEN
    return (smoothstep(facing, *FACING) * inside * ~behind).astype(np.float32)
