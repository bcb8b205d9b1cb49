"""Pictures of a reconstruction for people to look at."""

from deep3d.drawing.overlay import draw_overlay, write_overlay
from deep3d.drawing.view import draw_view

__all__ = ["draw_overlay", "draw_view", "write_overlay"]
