"""What the notebooks draw with: pictures in rows, tables, and faces as the model and its light make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from deep3d import FaceCoefficients, FaceModel
from deep3d.camera import place
from deep3d.lighting import shade
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.renderer import Renderer

WHITE = np.ones(3, np.float32)


def show(pictures: Sequence[np.ndarray], titles: Sequence[str] = (), columns: int | None = None, side: float = 2.6):
    """Pictures (H, W, 3) of one size in rows, `columns` in each, with titles; `side` is the width of one in inches."""
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    size = (columns * side, rows * (side * height / width + (0.2 if titles else 0)))
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="tight")
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture in zip(axes.flat, pictures):
        ax.imshow(picture)
    for ax, title in zip(axes.flat, titles):
        ax.set_title(title, fontsize=9)
    plt.show()


def table(rows: Sequence[Mapping[str, object]]) -> Markdown:
    """Rows with the same names, as a table."""
    lines = [[*rows[0]], ["---"] * len(rows[0]), *(map(str, row.values()) for row in rows)]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def draw_colours(model: FaceModel, face: FaceCoefficients, colours: np.ndarray) -> np.ndarray:
    """(B, 224, 224, 3) in [0, 1]: B faces with vertex colours (B, V, 3), as the camera of Deep3D sees them."""
    placed = place(model.shape(face), face.rotation, face.translation)
    renderer = Renderer(CpuRasterizer())
    return np.clip(renderer.render_colors(placed, model.triangles, colours.astype(np.float32), WHITE).picture, 0, 1)


def draw_faces(model: FaceModel, face: FaceCoefficients) -> np.ndarray:
    """(B, 224, 224, 3) in [0, 1]: B faces with their own albedo under their own light."""
    placed = place(model.shape(face), face.rotation, face.translation)
    return draw_colours(model, face, shade(model.albedo(face.albedo), model.normals(placed), face.lighting))
