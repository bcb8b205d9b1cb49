"""The hair of a head as a closed shell: seen in the photo, fitted, coloured."""

from deep3d.hair.mask import HairMask, see_hair
from deep3d.hair.model import hair_model
from deep3d.hair.whole import Hair, make_hair

__all__ = ["Hair", "HairMask", "hair_model", "make_hair", "see_hair"]
