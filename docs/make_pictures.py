"""Draw the pictures of the documentation again: python docs/make_pictures.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from deep3d import Reconstructor, default_face_model
from deep3d.drawing import draw_overlay
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.synthetic.heads import HeadGenerator

DOCS = Path(__file__).parent
ROWS, COLUMNS, SIDE = 3, 8, 160  # of the sheet of heads; pixels


def main() -> None:
    """Draw all."""
    face = Reconstructor.load()(DOCS / "sample" / "astronaut.jpg")
    pictures = DOCS / "pictures"
    Image.fromarray(draw_overlay(face, CpuRasterizer())).save(pictures / "astronaut_overlay.jpg", quality=90)
    Image.fromarray(face.texture).resize((512, 512)).save(pictures / "astronaut_texture.jpg", quality=90)
    crops = HeadGenerator(default_face_model(), seed=2026).draw(ROWS * COLUMNS).crops
    small = np.stack([np.asarray(Image.fromarray(crop).resize((SIDE, SIDE))) for crop in crops])
    sheet = small.reshape(ROWS, COLUMNS, SIDE, SIDE, 3).swapaxes(1, 2).reshape(ROWS * SIDE, COLUMNS * SIDE, 3)
    Image.fromarray(sheet).save(pictures / "synthetic_heads.jpg", quality=88)


if __name__ == "__main__":
    main()
