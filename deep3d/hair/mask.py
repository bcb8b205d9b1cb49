"""Which pixels of a photo show hair: the dense network's prediction, corrected by the photo's own colours.

The network sees a much wider crop than that of the face, and one of the head. Colours that it calls hair in one place
and something else in another are counted (as in GrabCut: Rother, Kolmogorov and Blake, 2004), and the mask follows the
edges of the picture (guided filter). What is not joined to the head is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from scipy import ndimage

from deep3d.camera import CROP_SIZE, Camera
from deep3d.coefficients import FaceCoefficients
from deep3d.dense import DenseEstimator
from deep3d.dense.layers import CLASSES
from deep3d.dense.views import View
from deep3d.hair.guided import Guide
from deep3d.hair.morphology import distance, grown, pieces
from deep3d.texture.sampling import Picture, resampled
from deep3d.texture.view import smoothstep

LOWERED = 4.0  # pixels by which crops show more above the head than below
VIEWS = tuple(View.about_the_middle(zoom, np.array([0, LOWERED])) for zoom in (0.6, 0.9))
"""The network's crops: all of the hair, and the head alone, larger. Where both show a pixel, their mean counts."""
DENSITY = 64.0  # mask pixels in a decimetre
REACH = (1.9, 1.9, 2.4)  # decimetres that the mask goes from the head's middle: to the sides, up and down
HAIR, SKIN, OTHER = range(3)
PARTS = (("hair",), ("skin", "glasses", "beard", "brows"), ("background", "occluder", "hat", "clothes"))
"""The network's classes that count as each of these."""
HAT, CLOTHES, BEARD, GLASSES = 3, 4, 5, 6
GROUPS = (*PARTS, ("hat",), ("clothes",), ("beard",), ("glasses",))
"""What is asked of each pixel: the parts, and some of their classes by themselves."""
SURE = 0.02  # the network is never surer than by that
BEYOND = np.array([0.14, 0.01, 0.85], np.float32)  # of hair, skin and else, where the network saw nothing
FEATHER = 10.0  # crop pixels over which what the network said fades at its crop's border
NEAR, FAR = 0.6, 0.7  # decimetres from the head within which hair is expected, and beyond which less and less
LEVELS = 16  # of each colour channel, in which colours are counted
SPREAD = 0.5  # of these, by which counts are blurred
COLOUR_TRUST = 0.8  # power of a colour's likelihood: neighbouring pixels are not independent
WORN = (0.06, 0.2)  # chances that the network gives to beards and glasses, from where they may be, and surely are
NEAR_SKIN, BESIDE = 0.35, 0.3
"""The colours of hair are learned on the head, and so much less beside it, within so many decimetres from skin: what
lies farther away may be a flag."""
FLOOR = 2e-4  # share of a class that any colour may have
FILTER_RADIUS, FILTER_SMOOTHNESS = 0.06, 1e-4  # decimetres
FACE_ENDS = 0.7  # decimetres below the head's middle: what touches the neck alone is no hair
GAP = 0.08  # decimetres over which hair is still joined to the face, or to other hair


@dataclass(frozen=True)
class HairMask:
    """What each of h x w pixels shows; one at (column, row) is photo pixel (column, row) * step + origin."""

    hair: np.ndarray  # (h, w) float32 in [0, 1]
    skin: np.ndarray  # (h, w) float32 in [0, 1]
    inside: np.ndarray  # (h, w) bool, where the photo is
    hat: np.ndarray  # (h, w) float32 in [0, 1], as the network sees it
    clothes: np.ndarray  # (h, w) float32 in [0, 1], likewise
    beard: np.ndarray  # (h, w) float32 in [0, 1], likewise
    glasses: np.ndarray  # (h, w) float32 in [0, 1], likewise; they count as skin, too
    origin: np.ndarray  # (2,) photo pixels
    step: float  # photo pixels
    density: float = DENSITY  # pixels in a decimetre

    def at(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 3) how far the mask has hair, hair, hat or skin, and glasses, at (N, 2) photo pixels."""
        places = self.positions(pixels)
        maps = self.hair, np.minimum(self.hair + self.hat + self.skin, 1), self.glasses
        return np.stack([sampled(each, places) for each in maps], axis=1)

    def on_skin(self, pixels: np.ndarray) -> np.ndarray:
        """(N, 2) how far hair or a beard, and glasses, lie on the skin at (N, 2) photo pixels."""
        places = self.positions(pixels)
        beard, glasses = (smoothstep(sampled(each, places), *WORN) for each in (self.beard, self.glasses))
        return np.stack([np.maximum(sampled(self.hair, places), beard), glasses], axis=1)

    def positions(self, photo_pixels: np.ndarray) -> np.ndarray:
        """Where (n, 2) photo pixels lie in the mask."""
        return (photo_pixels - self.origin) / self.step


def see_hair(
    estimator: DenseEstimator,
    photo: np.ndarray,
    to_photo: np.ndarray,
    coefficients: FaceCoefficients,
    camera: Camera,
) -> HairMask:
    """The hair of one face in an (H, W, 3) uint8 photo.

    `to_photo` (3, 3) takes the crop's pixels, in which `camera` sees the face, to the photo's.
    """
    distance = camera.distance - float(coefficients.translation[0, 2])
    step = to_photo[0, 0] * camera.focal_length_px / distance / DENSITY
    centre = to_photo[:2, :2] @ _centre(coefficients, camera) + to_photo[:2, 2]
    size = int((REACH[1] + REACH[2]) * DENSITY), int(2 * REACH[0] * DENSITY)
    origin = centre - np.array([REACH[0], REACH[1]]) * DENSITY * step
    window = np.array([[step, 0, origin[0]], [0, step, origin[1]], [0, 0, 1]])
    colours, inside = cut_out(photo, window, size)
    seen, share, head = _seen(estimator, photo, to_photo, coefficients, camera, window, size)
    prior = _prior(seen, share)
    hair, skin = _refined(colours.astype(np.float32) / 255, prior, inside, head)
    hat, clothes, beard, glasses = np.moveaxis(seen[..., [HAT, CLOTHES, BEARD, GLASSES]], -1, 0)
    hat = hat * _joined(np.maximum(hair, hat) > 0.5, _face(prior))
    return HairMask(hair, skin, inside, hat, clothes, beard, glasses, origin, float(step))


def _seen(
    estimator: DenseEstimator,
    photo: np.ndarray,
    to_photo: np.ndarray,
    coefficients: FaceCoefficients,
    camera: Camera,
    window: np.ndarray,
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the network sees of the pixels (h, w) that `window` (3, 3) takes to the photo's.

    Chances of `GROUPS` (h, w, 7), how far it saw the pixel (h, w), and how far the mesh is there (h, w).
    """
    to_photos = [to_photo @ np.linalg.inv(view.matrix) for view in VIEWS]
    crops = np.stack([cut_out(photo, matrix, (CROP_SIZE, CROP_SIZE))[0] for matrix in to_photos])
    faces = coefficients[np.zeros(len(VIEWS), int)]
    maps = estimator(crops, faces, [view.camera(camera) for view in VIEWS])
    to_crops = [np.linalg.inv(matrix) @ window for matrix in to_photos]
    shares = np.stack([_share(to_crop, size) for to_crop in to_crops])
    groups = maps.classes @ _members()
    weights = shares / np.maximum(shares.sum(axis=0), 1e-6)
    seen = sum(
        weight[..., None] * _looked_up(part, to_crop, size) for part, to_crop, weight in zip(groups, to_crops, weights)
    )
    head = _looked_up(maps.surface.covered[0, ..., None], to_crops[0], size)[..., 0]
    return np.asarray(seen), shares.max(axis=0), head


def _members() -> np.ndarray:
    """(C, 7) float32: which of the network's classes belong to which of `GROUPS`."""
    return np.array([[name in group for group in GROUPS] for name in CLASSES], np.float32)


def _centre(coefficients: FaceCoefficients, camera: Camera) -> np.ndarray:
    """(2,) crop pixels of the head's origin."""
    x, y, z = coefficients.translation[0]
    scale = camera.focal_length_px / (camera.distance - z)
    return np.array([camera.column + scale * x, camera.row - scale * y])


def cut_out(photo: np.ndarray, to_photo: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (h, w, 3) uint8 that (3, 3) `to_photo` takes to photo pixels, and which of them (h, w) the photo has."""
    lines = [to_photo[axis, axis] * np.arange(size[1 - axis]) + to_photo[axis, 2] for axis in (0, 1)]
    limits = np.array(photo.shape[1::-1])
    across, down = ((line >= -0.5) & (line <= limit - 0.5) for line, limit in zip(lines, limits))
    left, top = np.clip(np.floor([line[0] for line in lines]), 0, limits - 1).astype(int)
    right, bottom = np.clip(np.ceil([line[-1] for line in lines]) + 1, 1, limits).astype(int)
    picture = Picture.cut(photo, left, top, max(right, left + 1), max(bottom, top + 1))
    picture = picture.reduce(max(1, round(float(to_photo[0, 0]))))
    return np.rint(picture.resample(*lines)).astype(np.uint8), down[:, None] & across


def _prior(seen: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(h, w, 3) what the network says of hair, skin and else, `seen` (h, w, 7), as far as it saw them (h, w)."""
    share = share[..., None]
    return share * seen[..., : len(PARTS)] + (1 - share) * BEYOND


def _share(to_crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 in [0, 1]: whether `to_crop` (3, 3) puts pixels into the crop, less and less at its border."""
    margin = [np.minimum(line, CROP_SIZE - 1 - line) / FEATHER for line in _lines(to_crop, size)]
    return np.clip(np.minimum(margin[0][:, None], margin[1][None]), 0, 1).astype(np.float32)


def _looked_up(maps: np.ndarray, to_crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, C) what maps (S, S, C) of the crop have where `to_crop` (3, 3) puts pixels; borders go on outside."""
    cells = len(maps) / CROP_SIZE
    down, across = ((line + 0.5) * cells - 0.5 for line in _lines(to_crop, size))
    return resampled(maps, across, down)


def sampled(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N,) bilinear values (h, w) at places (N, 2)."""
    return ndimage.map_coordinates(values, places[:, ::-1].T, order=1, mode="nearest").astype(np.float32)


def _lines(to_crop: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows (h,) and columns (w,) of the crop at which pixels lie."""
    return (
        to_crop[1, 1] * np.arange(size[0]) + to_crop[1, 2],
        to_crop[0, 0] * np.arange(size[1]) + to_crop[0, 2],
    )


def _refined(
    colours: np.ndarray, prior: np.ndarray, inside: np.ndarray, head: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Hair and skin (h, w) by colours in [0, 1] and a prior (h, w, 3), where `head` (h, w) says that the mesh is."""
    guide = Guide(colours, round(FILTER_RADIUS * DENSITY), FILTER_SMOOTHNESS)
    number = _numbers(colours)
    belief = (SURE + (1 - 3 * SURE) * prior).astype(np.float32)
    far = np.maximum(distance(head < 0.5) / DENSITY - NEAR, 0)
    belief[..., HAIR] *= np.exp(-((far / FAR) ** 2))
    away = distance(prior[..., SKIN] < 0.5) / DENSITY
    trusted = inside * (head + BESIDE * np.exp(-((away / NEAR_SKIN) ** 2)))
    likelihood = _likelihood(_counts(number, belief, trusted.astype(np.float32), inside))
    chances = _chances(number, belief, likelihood)
    hair, skin = guide(chances[HAIR]), guide(chances[SKIN])
    return (hair * _joined(hair > 0.5, _face(prior))).astype(np.float32), skin.astype(np.float32)


def _face(prior: np.ndarray) -> np.ndarray:
    """(h, w) bool where a prior (h, w, 3) sees the skin of the face, without the neck."""
    face = prior[..., SKIN] > 0.5
    face[round((REACH[1] + FACE_ENDS) * DENSITY) :] = False
    return face


@numba.njit(cache=True, nogil=True)
def _numbers(colours):
    """(h, w) int32 a number for each colour: of its brightness and of two differences, which light changes less."""
    height, width = colours.shape[:2]
    number = np.empty((height, width), np.int32)
    most = np.float32(LEVELS - 1)
    for row in range(height):
        for column in range(width):
            red, green, blue = np.sqrt(colours[row, column])
            parts = (red + green + blue) / 3, 0.5 + 1.5 * (red - green), 0.5 + 1.5 * (green - blue)
            level = 0
            for part in parts:
                level = LEVELS * level + int(min(max(part * LEVELS, np.float32(0)), most))
            number[row, column] = level
    return number


@numba.njit(cache=True, nogil=True)
def _counts(number, belief, trusted, inside):
    """(3, LEVELS**3) how often each colour is believed to be of each part; hair counts where it is `trusted` (h, w)."""
    counts = np.zeros((3, LEVELS**3))
    for row in range(number.shape[0]):
        for column in range(number.shape[1]):
            if inside[row, column]:
                colour = number[row, column]
                counts[HAIR, colour] += belief[row, column, HAIR] * trusted[row, column]
                counts[SKIN, colour] += belief[row, column, SKIN]
                counts[OTHER, colour] += belief[row, column, OTHER]
    return counts


def _likelihood(counts: np.ndarray) -> np.ndarray:
    """(3, LEVELS**3) float32 how likely each part has each colour, as far as that is believed."""
    blur: Any = (0, SPREAD, SPREAD, SPREAD)
    even = ndimage.gaussian_filter(counts.reshape(3, LEVELS, LEVELS, LEVELS), blur).reshape(3, -1)
    often = even / np.maximum(even.sum(axis=1, keepdims=True), 1e-6) + FLOOR
    return (often**COLOUR_TRUST).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _chances(number, belief, likelihood):
    """(2, h, w) float32: the chances of hair and of skin, by what was believed (h, w, 3) and the colours."""
    chances = np.empty((2, *number.shape), np.float32)
    for row in range(number.shape[0]):
        for column in range(number.shape[1]):
            colour, part = number[row, column], belief[row, column]
            hair, skin = part[HAIR] * likelihood[HAIR, colour], part[SKIN] * likelihood[SKIN, colour]
            total = hair + skin + part[OTHER] * likelihood[OTHER, colour]
            chances[HAIR, row, column], chances[SKIN, row, column] = hair / total, skin / total
    return chances


def _joined(hair: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Mask (h, w) of the pieces of hair that touch the face."""
    gap = max(round(GAP * DENSITY), 1)
    number, count = pieces(grown(hair, gap))
    touching = np.zeros(count + 1, bool)
    touching[np.unique(number[grown(skin, gap)])] = True
    touching[0] = False
    return touching[number]
