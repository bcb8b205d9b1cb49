"""Synthetic photos of heads rendered on a GPU, or slowly on the CPU: the scenes of scenes.py in torch.

The random numbers come from numpy, a few hundred per head. Everything per vertex or pixel is computed on the device,
for all heads of a batch at once, without waiting.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.mesh import normalize
from deep3d.rendering.interface import Rasterizer
from deep3d.synthetic import layers
from deep3d.synthetic.device.film import compress, develop
from deep3d.synthetic.device.painting import Painter
from deep3d.synthetic.device.pose import fit_poses
from deep3d.synthetic.device.transfer import to_device
from deep3d.synthetic.heads import Heads, label_rows
from deep3d.synthetic.painting import noise_bank
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.scenes import Director, Scenes, each_array


class DeviceHeadGenerator:
    """Draws heads of one face model on one device; the same seed gives the same scenes on every device.

    The rasteriser is one for that device.
    """

    def __init__(
        self,
        model: FaceModel,
        seed: int,
        dense_vertices: Sequence[int],
        rasterizer: Rasterizer,
        device: torch.device,
    ) -> None:
        self._rng = np.random.default_rng(seed)
        noise = noise_bank(self._rng)
        anatomy = Anatomy.of(model)
        self._director = Director(model, anatomy.lowest, len(noise))
        self.device, self.dense_landmarks = device, len(dense_vertices)
        self._model = model.to_torch(device)
        self._label_rows = to_device(label_rows(model), device)
        self._dense = to_device(np.asarray(dense_vertices, np.int64), device)
        self._anatomy = each_array(anatomy, self._sent)
        self._noise = to_device(noise, device)
        self._painter = Painter(rasterizer, self._noise)

    def draw(self, count: int) -> Heads:
        """Draw `count` heads, with all arrays on the device."""
        with torch.no_grad():
            return self.photograph(self._director.random_scenes(self._rng, count))

    def photograph(self, drawn: Scenes) -> Heads:
        """Photos of scenes in main memory, and their labels."""
        scenes = each_array(drawn, self._sent)
        model, people = self._model, scenes.people
        vertices = model.neutral_shape(people.identity) + model.expression_offsets(people.expression)
        normals = _area_normals(vertices, model.triangles, model.adjacency)
        opaque, over = (
            layers.opaque_layer(model, self._anatomy, scenes, vertices, normals),
            layers.overlay(model, self._anatomy, scenes, vertices),
        )
        noise = scenes.skin.noise
        picture, depth = self._painter.opaque(self._painter.background(scenes.background), opaque, noise)
        picture = self._painter.overlay(picture, depth, over, noise)
        photos = compress(develop(picture.movedim(3, 1), scenes.film, self._noise), drawn.film.quality)
        rows, (pixels, _) = self._label_rows, scenes.standpoints.see(vertices)
        rotation, translation = fit_poses(vertices[:, rows], pixels[:, rows], scenes.standpoints.rotation)
        labels = FaceCoefficients(
            people.identity, people.expression, people.albedo, rotation, scenes.lighting, translation
        )
        crops = (255 * photos + 0.5).to(torch.uint8).movedim(1, 3)
        return Heads(crops, labels.to_vector(), pixels[:, self._dense])

    def _sent(self, value: np.ndarray) -> Tensor:
        return to_device(value, self.device)


def _area_normals(vertices: Tensor, triangles: Tensor, adjacency: Tensor) -> Tensor:
    """Unit normals (B, V, 3) like those of `painting.normals_into`: sums over triangles weighted by area."""
    a, b, c = (vertices[:, triangles[:, corner]] for corner in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    padded = torch.cat([normals, torch.zeros_like(normals[:, :1])], dim=1)
    total = torch.zeros_like(vertices)
    for column in range(adjacency.shape[1]):
        total = total + padded[:, adjacency[:, column]]
    return normalize(total)
