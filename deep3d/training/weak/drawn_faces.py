"""Coefficient vectors as pictures of faces in their crops, with gradients."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import torch
from torch import Tensor

from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.lighting import shade
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.nvdiffrast import NvdiffrastRasterizer
from deep3d.rendering.renderer import Renderer


@dataclass(frozen=True)
class DrawnFaces:
    """B faces."""

    coefficients: FaceCoefficients
    landmarks: Tensor  # (B, 68, 2) crop pixels
    albedo: Tensor  # (B, V, 3) of the vertices
    pictures: Tensor  # (B, 3, 224, 224) RGB, not clamped, black beside the face
    coverage: Tensor  # (B, 224, 224) share of each pixel that the face covers, in [0, 1]
    skin: Tensor  # (B, 224, 224) likewise its skin


class FaceDrawer:
    """Renders the faces of one model on one device, with tensors there."""

    def __init__(self, model: FaceModel, renderer: Renderer, device: torch.device) -> None:
        self.device = device
        self.model = model.to_torch(device)
        self._renderer = renderer

    @classmethod
    def on(cls, device: torch.device, model: FaceModel) -> FaceDrawer:
        """A drawer with nvdiffrast on a GPU if it is installed, otherwise on the CPU, for networks on any device."""
        if device.type == "cuda" and importlib.util.find_spec("nvdiffrast") is not None:
            return cls(model, Renderer(NvdiffrastRasterizer(str(device))), device)
        return cls(model, Renderer(CpuRasterizer()), torch.device("cpu"))

    def __call__(self, vectors: Tensor) -> DrawnFaces:
        """The faces of coefficient vectors (B, 257) from any device."""
        model = self.model
        face = FaceCoefficients.from_vector(vectors.to(self.device))
        vertices = place(model.shape(face), face.rotation, face.translation)
        albedo = model.albedo(face.albedo)
        colours = shade(albedo, model.normals(vertices), face.lighting)
        skin = model.skin[None, :, None].expand(len(vertices), -1, 1)
        rendering = self._renderer.render_colors(vertices, model.triangles, torch.cat([colours, skin], dim=-1))
        picture = rendering.picture.movedim(3, 1)
        return DrawnFaces(
            coefficients=face,
            landmarks=project(model.landmarks(vertices)),
            albedo=albedo,
            pictures=picture[:, :3],
            coverage=rendering.mask,
            skin=picture[:, 3],
        )
