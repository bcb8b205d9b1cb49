"""The colours of parts that the face model's texture has no place for, as a photo shows them: a shirt, and teeth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

SHOWN, LIKELY = 0.6, 0.4  # of a mask of clothes or of skin, from where a pixel is sure; of clothes beside bare skin
LEAST = 0.04  # area of clothes beside that of skin, below which nothing is known of them
NEAR = 0.13  # decimetres from the skin up to which a collar is seen
DARKEST = 0.13  # of the skin's brightness: folds of a black suit show, too
ALIKE = 40.0  # of 255, root of the sum of squares: colours nearer than that are those of one cloth
BINS = 8  # of each channel, in which the commonest colour is looked for
OPENED = 30.0  # pixels between the lips, below which no teeth are seen
BRIGHTER = 80  # percentile of brightness between the lips, from which there are teeth, if any
TOOTH = 0.8  # of the skin's brightness, below which that is none: gaps and tongues
GREY = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True, eq=False)
class PartColours:
    """Colours in sRGB, where the mean brightness of a texture's facial skin is 1; in a photo it is `level`, of 255."""

    shirt: np.ndarray  # (2, 3) float32, of its collar and of its body
    enamel: np.ndarray | None = None  # (3,) float32; None where no teeth are seen

    def with_shirt(
        self, colours: np.ndarray, clothes: np.ndarray, skin: np.ndarray, density: float, level: float
    ) -> PartColours:
        """From pixels (h, w, 3) in 0..255, so many in a decimetre, and how far each shows clothes and skin (h, w).

        The same where the photo shows hardly any clothes.
        """
        worn, bare = clothes > SHOWN, skin > SHOWN
        if worn.sum() <= LEAST * bare.sum() or not bare.any():
            return self
        collar = (clothes > LIKELY) & ~bare & (np.asarray(distance_transform_edt(~bare)) < NEAR * density)
        found = np.stack([commonest(colours[part]) for part in (collar if collar.any() else worn, worn)])
        relative = found / level
        shirt = relative + np.maximum(DARKEST - relative @ GREY, 0)[:, None]
        return replace(self, shirt=shirt.astype(np.float32))

    def with_teeth(self, photo: np.ndarray, inner_lips: np.ndarray, level: float) -> PartColours:
        """From a photo (H, W, 3) uint8 and the outline (n, 2) of the inner lips in it.

        The same where it shows none between them.
        """
        low, high = np.floor(inner_lips.min(axis=0)).astype(int), np.ceil(inner_lips.max(axis=0)).astype(int) + 1
        low, high = np.clip(low, 0, photo.shape[1::-1]), np.clip(high, 0, photo.shape[1::-1])
        x, y = inner_lips.T
        area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
        if area < OPENED or (high - low).min() < 1:
            return self
        outline = Image.new("1", tuple((high - low).tolist()))
        ImageDraw.Draw(outline).polygon([tuple(point) for point in (inner_lips - low).tolist()], fill=1)
        between = photo[low[1] : high[1], low[0] : high[0]][np.asarray(outline)]
        brightness = between @ GREY
        teeth = between[brightness >= np.percentile(brightness, BRIGHTER)].mean(axis=0) / level
        return replace(self, enamel=teeth.astype(np.float32)) if teeth @ GREY > TOOTH else self

    def over(self, bust: np.ndarray, worn: np.ndarray, skin: np.ndarray) -> np.ndarray:
        """Colours (B, 3) of a bust with those of the shirt where it is `worn` (B,), beside skin of a colour (3,)."""
        return np.where(worn[:, None] > 0, self.shirt[np.maximum(worn, 1) - 1] * (skin @ GREY), bust)


USUAL = PartColours(np.array([[0.42, 0.43, 0.46], [0.40, 0.41, 0.44]], np.float32))  # dark grey, where none is seen


def commonest(colours: np.ndarray) -> np.ndarray:
    """(3,) the mean of those of N >= 1 colours (N, 3) of 255 that are like the commonest one."""
    bins = (colours.astype(np.int64) * BINS) // 256
    number = bins @ [BINS * BINS, BINS, 1]
    middle = colours[number == np.bincount(number).argmax()].mean(axis=0)
    for _ in range(3):
        middle = colours[((colours - middle) ** 2).sum(axis=1) < ALIKE**2].mean(axis=0)
    return middle
