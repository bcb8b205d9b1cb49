"""The hair of a head as a closed shell: found in the photo, fitted and coloured."""

from deep3d.hair.mask import HairMask, see_hair
from deep3d.hair.model import hair_model
from deep3d.hair.shown import colours_of
from deep3d.hair.whole import Hair, Sight, make_hair

__all__ = ["Hair", "HairMask", "Sight", "colours_of", "hair_model", "make_hair", "see_hair"]
