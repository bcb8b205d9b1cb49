"""MATLAB files with the names, shapes and conventions of both Deep3DFaceRecon implementations (Deng et al., 2019).

Readers of the PyTorch version's results can read face_pytorch.mat, those of the TensorFlow version face_tensorflow.mat.
Pixels are the crop's, 224 x 224. The numbers belong to the camera of the result: that of Deep3D, unless the face was
fitted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from deep3d.camera import CROP_SIZE, Camera, clip_space, depth, project, rotation_matrix
from deep3d.lighting import shade
from deep3d.reconstruction import Reconstruction
from deep3d.rendering.cpu import CpuRasterizer

GREY_LEVELS = 255
MIDDLE = (CROP_SIZE - 1) / 2  # the TensorFlow renderer's principal point, half a pixel from that of its landmarks


def write_mat(reconstruction: Reconstruction, folder: Path) -> None:
    """Write face_pytorch.mat and face_tensorflow.mat into a folder."""
    from scipy.io import savemat  # takes a while

    savemat(folder / "face_pytorch.mat", pytorch_arrays(reconstruction))
    savemat(folder / "face_tensorflow.mat", tensorflow_arrays(reconstruction))


def pytorch_arrays(reconstruction: Reconstruction) -> dict[str, np.ndarray]:
    """What Deep3DFaceRecon_pytorch saves: the coefficients by its names, and lm68 (1, 68, 2) with y down."""
    face = reconstruction.coefficients
    return {
        "id": face.identity,
        "exp": face.expression,
        "tex": face.albedo,
        "angle": face.rotation,
        "gamma": face.lighting,
        "trans": face.translation,
        "lm68": _landmarks68(reconstruction)[None],
    }


def tensorflow_arrays(reconstruction: Reconstruction) -> dict[str, np.ndarray]:
    """What Deep3DFaceReconstruction saves.

    cropped_img (224, 224, 3) uint8; recon_img (224, 224, 4) RGB 0..255 and a mask of 0 and 1; coeff (1, 257);
    face_shape (V, 3) placed, decimetres; face_texture and face_color (V, 3) RGB 0..255, not clamped; lm_68p (68, 2)
    with y up, and lm_5p (5, 2) with y down.
    """
    face, vertices = reconstruction.coefficients, reconstruction.placed_vertices
    normals = reconstruction.normals @ rotation_matrix(face.rotation)[0].T
    texture = reconstruction.albedo * GREY_LEVELS
    color = shade(texture[None], normals[None], face.lighting)[0]
    camera = replace(reconstruction.camera, column=MIDDLE, row=MIDDLE)
    return {
        "cropped_img": reconstruction.crop.image,
        "recon_img": _picture(vertices, color, reconstruction.face_model.triangles, camera),
        "coeff": face.to_vector(),
        "face_shape": vertices,
        "face_texture": texture,
        "face_color": color,
        "lm_68p": _turned(_landmarks68(reconstruction)),
        "lm_5p": _turned(reconstruction.crop.aligned_points),
    }


def _landmarks68(reconstruction: Reconstruction) -> np.ndarray:
    """(68, 2) crop pixels, y down."""
    placed = reconstruction.face_model.markup.points(reconstruction.placed_vertices[None])
    return project(placed, reconstruction.camera)[0]


def _turned(pixels: np.ndarray) -> np.ndarray:
    """Crop pixels with y up instead of down, or vice versa."""
    return np.column_stack([pixels[:, 0], CROP_SIZE - 1 - pixels[:, 1]])


def _picture(vertices: np.ndarray, color: np.ndarray, triangles: np.ndarray, camera: Camera) -> np.ndarray:
    """(224, 224, 4) float32 of placed vertices (V, 3) with colours (V, 3) in 0..255; no antialiasing."""
    size = (CROP_SIZE, CROP_SIZE)
    rasterizer = CpuRasterizer()
    clip = clip_space(project(vertices[None], camera), depth(vertices[None], camera), size).astype(np.float32)
    fragments = rasterizer.rasterize(clip, triangles, size)
    rgb = np.clip(rasterizer.interpolate(color[None].astype(np.float32), fragments, triangles)[0], 0, GREY_LEVELS)
    return np.concatenate([rgb, (fragments.triangle[0] >= 0)[..., None]], axis=-1, dtype=np.float32)
