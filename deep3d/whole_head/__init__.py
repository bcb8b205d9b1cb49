"""What a face model lacks of a whole head, in one mesh with it: neck and shoulders."""

from deep3d.whole_head.clothes import USUAL, Clothes
from deep3d.whole_head.whole import WholeHead

__all__ = ["USUAL", "Clothes", "WholeHead"]
