"""Pictures of a reconstruction for people to look at."""

from deep3d.drawing.overlay import draw_overlay, write_overlay

__all__ = ["draw_overlay", "write_overlay"]
