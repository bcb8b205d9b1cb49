"""The shirt of a bust: a collar and what is below it, in the colours that the photo shows below the chin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

SHOWN, LIKELY = 0.6, 0.4  # of a mask of clothes or of skin, from where a pixel is sure; of clothes beside bare skin
LEAST = 0.04  # area of clothes beside that of skin, below which nothing is known of them
NEAR = 0.13  # decimetres from the skin up to which a collar is seen
DARKEST = 0.13  # of the skin's brightness: folds of a black suit show, too
ALIKE = 40.0  # of 255, root of the sum of squares: colours nearer than that are those of one cloth
BINS = 8  # of each channel, in which the commonest colour is looked for
GREY = np.array([0.3, 0.59, 0.11], np.float32)


@dataclass(frozen=True, eq=False)
class Clothes:
    """What a person wears on the shoulders."""

    colours: np.ndarray  # (2, 3) float32 sRGB of collar and body, where the brightness of the person's skin is 1

    @classmethod
    def seen(cls, colours: np.ndarray, clothes: np.ndarray, skin: np.ndarray, density: float) -> Clothes | None:
        """From pixels (h, w, 3) in 0..255, so many in a decimetre, and how far each shows clothes and skin (h, w).

        None where the photo shows hardly any clothes.
        """
        worn, bare = clothes > SHOWN, skin > SHOWN
        if worn.sum() <= LEAST * bare.sum() or not bare.any():
            return None
        collar = (clothes > LIKELY) & ~bare & (np.asarray(distance_transform_edt(~bare)) < NEAR * density)
        found = np.stack([commonest(colours[part]) for part in (collar if collar.any() else worn, worn)])
        relative = found / max(float(np.median(colours[bare] @ GREY)), 1.0)
        return cls((relative + np.maximum(DARKEST - relative @ GREY, 0)[:, None]).astype(np.float32))

    def over(self, bust: np.ndarray, worn: np.ndarray, skin: np.ndarray) -> np.ndarray:
        """Colours (B, 3) of a bust with those of the shirt where it is `worn` (B,), beside skin of a colour (3,)."""
        return np.where(worn[:, None] > 0, self.colours[np.maximum(worn, 1) - 1] * (skin @ GREY), bust)


USUAL = Clothes(np.array([[0.42, 0.43, 0.46], [0.40, 0.41, 0.44]], np.float32))  # dark grey, where none are seen


def commonest(colours: np.ndarray) -> np.ndarray:
    """(3,) the mean of those of N >= 1 colours (N, 3) of 255 that are like the commonest one."""
    bins = (colours.astype(np.int64) * BINS) // 256
    number = bins @ [BINS * BINS, BINS, 1]
    middle = colours[number == np.bincount(number).argmax()].mean(axis=0)
    for _ in range(3):
        middle = colours[((colours - middle) ** 2).sum(axis=1) < ALIKE**2].mean(axis=0)
    return middle
