"""Crops that show more than the face: the usual crop, seen smaller and moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deep3d.camera import CROP_SIZE, Camera


@dataclass(frozen=True)
class View:
    """Pixel p of the usual crop is p * zoom + shift here."""

    zoom: float
    shift: np.ndarray  # (2,) pixels

    @classmethod
    def about_the_middle(cls, zoom: float, moved: np.ndarray) -> View:
        """The crop with its middle moved by (2,) pixels."""
        return cls(zoom, (CROP_SIZE - 1) / 2 * (1 - zoom) + moved)

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) from the usual crop's pixels to these."""
        return np.array([[self.zoom, 0, self.shift[0]], [0, self.zoom, self.shift[1]], [0, 0, 1]])

    def camera(self, camera: Camera) -> Camera:
        """The camera of the usual crop, as this crop has it."""
        return replace(
            camera,
            focal_length_px=camera.focal_length_px * self.zoom,
            column=camera.column * self.zoom + self.shift[0],
            row=camera.row * self.zoom + self.shift[1],
        )
