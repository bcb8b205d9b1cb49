"""Which pixels of a photo show hair: the dense network's prediction, corrected by the photo's own colours.

The network sees a wider crop than that of the face, and knows hair roughly. Colours that it calls hair in one place and
something else in another are counted (as in GrabCut: Rother, Kolmogorov and Blake, 2004), and the mask follows the
edges of the picture (guided filter). What is not joined to the head is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from deep3d.camera import CROP_SIZE, Camera
from deep3d.coefficients import FaceCoefficients
from deep3d.dense import DenseEstimator
from deep3d.dense.layers import CLASSES
from deep3d.hair.guided import Guide
from deep3d.hair.morphology import distance, grown, pieces
from deep3d.texture.sampling import Picture

ZOOM = 0.8  # size of the face in the network's crop over that in the usual one
LOWERED = 9.0  # pixels by which the crop shows more above the head than below
DENSITY = 40.0  # mask pixels in a decimetre
REACH = (1.9, 1.4, 2.4)  # decimetres that the mask goes from the head's middle: to the sides, up and down
HAIR, SKIN, OTHER = range(3)
SURE = 0.05  # the network is never surer than by that
BEYOND = np.array([0.14, 0.01, 0.85], np.float32)  # of hair, skin and else, where the network saw nothing
FEATHER = 10.0  # mask pixels over which what the network said fades at its crop's border
HAIRLINE, HAIRED = 0.15, 0.3
"""How far the network's skin may be hair for its colours, for it draws hairlines too high and temples bare; fully where
it sees so much hair for one of skin, not on bald heads."""
NEAR, FAR = 0.35, 0.45  # decimetres from the head within which hair is expected, and beyond which less and less
ROUNDS = 3
LEVELS = 14  # of each colour channel, in which colours are counted
SPREAD = 0.9  # of these, by which counts are blurred
COLOUR_TRUST = 0.7  # power of a colour's likelihood: neighbouring pixels are not independent
NEAR_SKIN, BESIDE = 14.0, 0.1
"""The colours of hair are learned on the head, and at a tenth beside it, within so many mask pixels from skin: what
lies farther away may be a flag."""
FLOOR = 2e-4  # share of a class that any colour may have
FILTER_RADIUS, FILTER_SMOOTHNESS = 4, 2e-3


@dataclass(frozen=True)
class HairMask:
    """How far each of h x w pixels shows hair; one at (column, row) is photo pixel (column, row) * step + origin."""

    hair: np.ndarray  # (h, w) float32 in [0, 1]
    skin: np.ndarray  # (h, w) float32 in [0, 1]
    inside: np.ndarray  # (h, w) bool, where the photo is
    origin: np.ndarray  # (2,) photo pixels
    step: float  # photo pixels
    density: float = DENSITY  # pixels in a decimetre

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
    middle = (CROP_SIZE - 1) / 2
    shift = middle * (1 - ZOOM)
    zoom = np.array([[ZOOM, 0, shift], [0, ZOOM, shift + LOWERED], [0, 0, 1]])
    wider = replace(
        camera,
        focal_length_px=camera.focal_length_px * ZOOM,
        column=camera.column * ZOOM + shift,
        row=camera.row * ZOOM + shift + LOWERED,
    )
    wide_to_photo = to_photo @ np.linalg.inv(zoom)
    crop = _window(photo, wide_to_photo, (CROP_SIZE, CROP_SIZE))[0]
    maps = estimator(crop[None], coefficients, [wider])
    distance = camera.distance - float(coefficients.translation[0, 2])
    step = to_photo[0, 0] * camera.focal_length_px / distance / DENSITY
    centre = to_photo[:2, :2] @ _centre(coefficients, camera) + to_photo[:2, 2]
    width, height = int(2 * REACH[0] * DENSITY), int((REACH[1] + REACH[2]) * DENSITY)
    origin = centre - np.array([REACH[0], REACH[1]]) * DENSITY * step
    window = np.array([[step, 0, origin[0]], [0, step, origin[1]], [0, 0, 1]])
    colours, inside = _window(photo, window, (height, width))
    to_crop = np.linalg.inv(wide_to_photo) @ window
    prior = _prior(maps.classes[0], to_crop, (height, width))
    head = _looked_up(maps.surface.covered.astype(np.float32), to_crop, (height, width))[0]
    hair, skin = _refined(colours.astype(np.float32) / 255, prior, inside, head)
    return HairMask(hair, skin, inside, origin, float(step))


def _centre(coefficients: FaceCoefficients, camera: Camera) -> np.ndarray:
    """(2,) crop pixels of the head's origin."""
    x, y, z = coefficients.translation[0]
    scale = camera.focal_length_px / (camera.distance - z)
    return np.array([camera.column + scale * x, camera.row - scale * y])


def _window(photo: np.ndarray, to_photo: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (h, w, 3) uint8 that (3, 3) `to_photo` takes to photo pixels, and which of them (h, w) the photo has."""
    rows, columns = np.indices(size)
    places = np.stack([columns, rows], axis=-1).reshape(-1, 2) * to_photo.diagonal()[:2] + to_photo[:2, 2]
    limits = np.array(photo.shape[1::-1])
    inside = ((places >= -0.5) & (places <= limits - 0.5)).all(axis=1)
    left, top = np.clip(np.floor(places.min(axis=0)), 0, limits - 1).astype(int)
    right, bottom = np.clip(np.ceil(places.max(axis=0)) + 1, 1, limits).astype(int)
    picture = Picture.cut(photo, left, top, max(right, left + 1), max(bottom, top + 1))
    picture = picture.reduce(max(1, round(float(to_photo[0, 0]))))
    colours = picture.sample(places).reshape(*size, 3)
    return np.rint(colours).astype(np.uint8), np.reshape(inside, size)


def _prior(classes: np.ndarray, to_crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) what the network's classes (S, S, 5) say of hair, skin and else, where `to_crop` (3, 3) puts pixels."""
    chances = np.stack(
        [
            classes[..., CLASSES.index("hair")],
            classes[..., CLASSES.index("skin")] + classes[..., CLASSES.index("glasses")],
            classes[..., CLASSES.index("background")] + classes[..., CLASSES.index("occluder")],
        ]
    )
    margin = [np.minimum(line, CROP_SIZE - 1 - line) / FEATHER for line in _lines(to_crop, size)]
    share = np.clip(np.minimum(margin[0][:, None], margin[1][None]), 0, 1)[..., None]
    return share * np.moveaxis(_looked_up(chances, to_crop, size), 0, -1) + (1 - share) * BEYOND


def _looked_up(maps: np.ndarray, to_crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(C, h, w) what maps (C, S, S) of the crop have where `to_crop` (3, 3) puts pixels; borders go on outside."""
    cells = maps.shape[1] / CROP_SIZE
    rows, columns = ((line + 0.5) * cells - 0.5 for line in _lines(to_crop, size))
    grid = np.broadcast_arrays(rows[:, None], columns[None])
    return np.stack([ndimage.map_coordinates(part, grid, order=1, mode="nearest") for part in maps])


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
    guide = Guide(colours, FILTER_RADIUS, FILTER_SMOOTHNESS)
    number = _numbers(colours)
    belief = SURE + (1 - 3 * SURE) * prior
    haired = min(float(prior[..., HAIR].sum() / (HAIRED * prior[..., SKIN].sum() + 1e-6)), 1.0)
    belief[..., HAIR] += HAIRLINE * haired * prior[..., SKIN]
    far = np.maximum(distance(head < 0.5) / DENSITY - NEAR, 0)
    belief[..., HAIR] *= np.exp(-((far / FAR) ** 2))
    away = distance(prior[..., SKIN] < 0.5)
    trusted = head + BESIDE * np.exp(-((away / NEAR_SKIN) ** 2))
    counted = inside * np.stack([trusted, np.ones_like(away), np.ones_like(away)])
    chances = belief
    for _ in range(ROUNDS):
        samples = [chances[..., part] * counted[part] for part in range(3)]
        likelihood = np.stack([_frequency(number, sample)[number] for sample in samples], axis=-1)
        chances = belief * likelihood**COLOUR_TRUST
        chances /= chances.sum(axis=-1, keepdims=True)
        filtered_hair, filtered_skin = guide(chances[..., HAIR]), guide(chances[..., SKIN])
        rest = np.clip(1 - filtered_hair - filtered_skin, 0, 1)
        chances = np.stack([filtered_hair, filtered_skin, rest], axis=-1)
    joined = _joined(chances[..., HAIR] > 0.5, prior[..., SKIN] > 0.5)
    return (chances[..., HAIR] * joined).astype(np.float32), chances[..., SKIN].astype(np.float32)


def _numbers(colours: np.ndarray) -> np.ndarray:
    """(h, w) a number for each colour: of its brightness and of two differences, which light changes less."""
    red, green, blue = np.moveaxis(np.sqrt(colours), 2, 0)
    parts = (red + green + blue) / 3, 0.5 + 1.5 * (red - green), 0.5 + 1.5 * (green - blue)
    levels = [np.clip(part * LEVELS, 0, LEVELS - 1).astype(np.int64) for part in parts]
    return (levels[0] * LEVELS + levels[1]) * LEVELS + levels[2]


def _frequency(number: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(LEVELS**3,) how often each colour is one of a class with weights (h, w)."""
    counts = np.bincount(number.ravel(), weight.ravel(), LEVELS**3).reshape((LEVELS,) * 3)
    counts = ndimage.gaussian_filter(counts, SPREAD)
    return counts.ravel() / max(counts.sum(), 1e-6) + FLOOR


def _joined(hair: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Mask (h, w) of the pieces of hair that touch the face."""
    number, count = pieces(grown(hair, 2))
    touching = np.zeros(count + 1, bool)
    touching[np.unique(number[grown(skin, 3)])] = True
    touching[0] = False
    return touching[number]
