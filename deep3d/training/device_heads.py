"""Synthetic photos of heads drawn on a graphics card, or slowly on the processor: the scenes of scenes.py in torch.

Chance is numpy's, a few hundred numbers a head; all that has as many values as vertices or pixels is worked out on the
device, for all heads of a batch at once, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.lighting import irradiance
from deep3d.mesh import normalize
from deep3d.rendering.interface import Rasterizer
from deep3d.training.anatomy import Anatomy
from deep3d.training.device_film import compress, develop
from deep3d.training.device_painting import (
    BEFORE,
    BEHIND,
    Painter,
    Surfaces,
    flat_things,
    glasses_overlay,
    opaque_overlay,
)
from deep3d.training.device_pose import fit_poses
from deep3d.training.hair import SHELL_TRIANGLES, hair_shells
from deep3d.training.heads import Heads, label_rows
from deep3d.training.painting import noise_bank
from deep3d.training.scenes import Director, Scenes, Skin

T = TypeVar("T")


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
        self._label_rows = torch.from_numpy(label_rows(model)).to(device)
        self._dense = torch.tensor(dense_vertices, dtype=torch.long, device=device)
        self._anatomy = to_device(anatomy, device)
        self._noise = torch.from_numpy(noise).to(device)
        self._painter = Painter(rasterizer, self._noise)
        shell = torch.from_numpy(SHELL_TRIANGLES).to(device)
        self._triangles = torch.cat([self._model.triangles, shell + len(model.mean_shape)]).int()

    def draw(self, count: int) -> Heads:
        """Draw `count` heads; all that is in them is on the device."""
        with torch.no_grad():
            return self.photograph(self._director.random_scenes(self._rng, count))

    def photograph(self, drawn: Scenes) -> Heads:
        """Photos of scenes in main memory, and their labels."""
        scenes = to_device(drawn, self.device)
        people = scenes.people
        vertices = self._model.neutral_shape(people.identity) + self._model.expression_offsets(people.expression)
        pixels, depth = scenes.standpoints.see(vertices)
        head = self._head(scenes, vertices, pixels, depth)
        noise = scenes.skin.noise
        behind = flat_things(scenes.behind, BEHIND)
        picture, depth = self._painter.opaque(self._painter.background(scenes.background), behind + head, noise)
        glasses = glasses_overlay(scenes.glasses, scenes.standpoints)
        overlay = glasses + opaque_overlay(flat_things(scenes.before, BEFORE))
        picture = self._painter.overlay(picture, depth, overlay, noise)
        photos = compress(develop(picture.movedim(3, 1), scenes.film, self._noise), drawn.film.quality)
        rows = self._label_rows
        rotation, translation = fit_poses(vertices[:, rows], pixels[:, rows], scenes.standpoints.rotation)
        labels = FaceCoefficients(
            people.identity, people.expression, people.albedo, rotation, scenes.lighting, translation
        )
        crops = (255 * photos + 0.5).to(torch.uint8).movedim(1, 3)
        return Heads(crops, labels.to_vector(), pixels[:, self._dense])

    def _head(self, scenes: Scenes, vertices: Tensor, pixels: Tensor, depth: Tensor) -> Surfaces:
        """Heads with their hair and hats."""
        model, anatomy, skin, hair = self._model, self._anatomy, scenes.skin, scenes.hair
        normals = _area_normals(vertices, model.triangles, model.adjacency) @ scenes.standpoints.turn.mT
        light = irradiance(normals, scenes.lighting)
        beard = anatomy.beard * skin.beard[:, None]
        albedo = torch.lerp(model.albedo(scenes.people.albedo), 0.9 * hair.hair_colour[:, None], beard[..., None])
        scalp = anatomy.scalp * skin.scalp[:, None]
        albedo = torch.lerp(albedo, hair.hair_colour[:, None].expand_as(albedo), scalp[..., None])
        shade = anatomy.openness ** skin.occlusion[:, None] * _cast_shadow(skin, vertices)
        gloss = _gloss(normals, scenes.key, skin) * (0.3 + 0.7 * model.skin)
        shells = hair_shells(hair, anatomy.skull)
        shell_pixels, shell_depth = scenes.standpoints.see(shells.vertices)
        streaks = hair.streaks[:, None].expand(shell_depth.shape)
        return Surfaces(
            pixels=torch.cat([pixels, shell_pixels], dim=1),
            depth=torch.cat([depth, torch.where(hair.worn[:, None], shell_depth, -1.0)], dim=1),
            colours=torch.cat(
                [
                    albedo * light * shade[..., None] + gloss[..., None],
                    shells.colours * light.mean((1, 2))[:, None, None],
                ],
                dim=1,
            ),
            grain=torch.cat([anatomy.grain * skin.grain_scale[:, None, None], shells.strand], dim=1),
            contrast=torch.cat([model.skin * skin.contrast[:, None] + 0.25 * beard, streaks], dim=1),
            triangles=self._triangles,
        )


def to_device(record: T, device: torch.device) -> T:
    """A dataclass of arrays, or of such dataclasses, with tensors on the device: of float32 what is of float64."""
    values: dict[str, Any] = {}
    for field in fields(record):  # pyright: ignore[reportArgumentType]
        value = getattr(record, field.name)
        if is_dataclass(value):
            value = to_device(value, device)
        elif isinstance(value, np.ndarray):
            value = _send(value.astype(np.float32) if value.dtype == np.float64 else value, device)
        values[field.name] = value
    return type(record)(**values)


def _send(array: np.ndarray, device: torch.device) -> Tensor:
    """The array on the device. A card is not waited for: page-locked memory is copied in its own time."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def _area_normals(vertices: Tensor, triangles: Tensor, adjacency: Tensor) -> Tensor:
    """Unit normals (B, V, 3) as `painting.normals_into` has them: sums over triangles weighted by area."""
    a, b, c = (vertices[:, triangles[:, corner]] for corner in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    padded = torch.cat([normals, torch.zeros_like(normals[:, :1])], dim=1)
    total = torch.zeros_like(vertices)
    for column in range(adjacency.shape[1]):
        total = total + padded[:, adjacency[:, column]]
    return normalize(total)


def _cast_shadow(skin: Skin, vertices: Tensor) -> Tensor:
    """Light left (B, V) behind a soft edge across the head."""
    along = (vertices * skin.shadow_direction[:, None]).sum(dim=-1) - skin.shadow_start[:, None]
    return 1 - skin.shadow_depth[:, None] * torch.sigmoid(along / skin.shadow_width[:, None])


def _gloss(normals: Tensor, key: Tensor, skin: Skin) -> Tensor:
    """Highlights (B, V) of `light.gloss`."""
    half = torch.nn.functional.normalize(key + key.new_tensor([0.0, 0.0, 1.0]), dim=-1)
    facing = (normals * half[:, None]).sum(dim=-1).clamp(min=0)
    return skin.gloss[:, None] * facing ** skin.gloss_exponent[:, None]
