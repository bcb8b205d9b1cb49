"""Draw the pictures of the documentation again: python docs/make_pictures.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from deep3d import FaceModel, Photo, Pose, Reconstruction, Reconstructor, default_face_model, in_light, separate
from deep3d.drawing import draw_overlay
from deep3d.export.drawings import PICTURES
from deep3d.material import RelightableHead
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.synthetic.clips import crossing_clip
from deep3d.synthetic.heads import HeadGenerator

DOCS = Path(__file__).parent
ROWS, COLUMNS, SIDE = 3, 8, 160  # of the sheet of heads; pixels
GALLERY = "2d_sparse 2d_dense 3d pose depth pncc normals wireframe albedo error".split()
LIGHTS = {"overcast": 0, "studio": 35, "window": -35, "sunset": 0, "night": 0}  # and degrees of yaw
RELIT, BACKDROP = 320, (58, 60, 64)  # pixels a side; sRGB
GROUP_SEED, GROUP_FRAME = 13, 70  # of the drawn clip that the group is a frame of


def main() -> None:
    """Draw all."""
    reconstructor = Reconstructor.load(hair="shell")
    face = reconstructor(DOCS / "sample" / "astronaut.jpg")
    pictures = DOCS / "pictures"
    Image.fromarray(draw_overlay(face, CpuRasterizer())).save(pictures / "astronaut_overlay.jpg", quality=90)
    Image.fromarray(face.texture).resize((512, 512)).save(pictures / "astronaut_texture.jpg", quality=90)
    save_relit(pictures / "relit_astronaut.jpg", face)
    window = np.s_[0:215, 120:335]
    save_gallery(pictures / "gallery_astronaut.jpg", [face], face.photo, window, 5, 300)
    group = draw_group(reconstructor.face_model)
    faces = reconstructor.reconstruct([group], "all")[0]
    save_gallery(pictures / "gallery_group.jpg", faces, group, np.s_[300:880, 460:1860], 2, 700)
    crops = HeadGenerator(default_face_model(), seed=2026).draw(ROWS * COLUMNS).crops
    small = np.stack([np.asarray(Image.fromarray(crop).resize((SIDE, SIDE))) for crop in crops])
    sheet = small.reshape(ROWS, COLUMNS, SIDE, SIDE, 3).swapaxes(1, 2).reshape(ROWS * SIDE, COLUMNS * SIDE, 3)
    Image.fromarray(sheet).save(pictures / "synthetic_heads.jpg", quality=88)


def draw_group(model: FaceModel) -> Photo:
    """Three people who are made up, one before another."""
    clip = crossing_clip(model, seed=GROUP_SEED, size=(1920, 1080))
    return Photo(clip.frame(GROUP_FRAME), "group", "")


def save_relit(path: Path, face: Reconstruction) -> None:
    """Write a face's base colours, then the face in other lights, in a row."""
    material = separate(face)
    head = RelightableHead.of(face, material)
    base = Image.fromarray(material.maps.base_color).resize((RELIT, RELIT))
    views = [
        in_light(head, light, face.hair, material.evened).view(Pose(yaw, 0, 0), 2 * RELIT, BACKDROP)
        for light, yaw in LIGHTS.items()
    ]
    small = [Image.fromarray(view).resize((RELIT, RELIT)) for view in views]
    Image.fromarray(np.concatenate([base, *small], axis=1)).save(path, quality=90)


def save_gallery(
    path: Path, faces: list[Reconstruction], photo: Photo, window: tuple[slice, slice], columns: int, width: int
) -> None:
    """A sheet of what is drawn of faces, of a window of each picture, `width` pixels across each."""
    drawn = [PICTURES[kind](faces, photo)[window] for kind in GALLERY]
    height = round(width * drawn[0].shape[0] / drawn[0].shape[1])
    small = [np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.LANCZOS)) for each in drawn]
    rows = [np.concatenate(small[start : start + columns], axis=1) for start in range(0, len(small), columns)]
    Image.fromarray(np.concatenate(rows)).save(path, quality=85)


if __name__ == "__main__":
    main()
