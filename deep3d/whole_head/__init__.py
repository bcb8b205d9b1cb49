"""What a face model lacks of a whole head, in one mesh with it: neck and shoulders."""

from deep3d.whole_head.colours import USUAL, PartColours
from deep3d.whole_head.whole import WholeHead

__all__ = ["USUAL", "PartColours", "WholeHead"]
