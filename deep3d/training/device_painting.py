"""Pictures of scenes on any device: everything in them is triangles, drawn in two layers by a rasteriser.

The first layer is what is opaque: flat things, clothes, heads, hair. The second lies over it: glasses, and what is
before a face. Their vertices carry colours and coordinates of fine texture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from deep3d.camera import CROP_SIZE, FAR, NEAR, clip_space
from deep3d.rendering.interface import Rasterizer
from deep3d.training.glasses import Glasses
from deep3d.training.painting import GRAIN_SCALE
from deep3d.training.scenes import Background
from deep3d.training.things import CORNERS, Things
from deep3d.training.viewpoint import Standpoints

SIZE = (CROP_SIZE, CROP_SIZE)
FLAT_CONTRAST = 0.12  # of the texture of flat things
TOUCHING = 2e-3  # in z / w: what is so little behind a surface shows nevertheless
LENS_BEHIND_RIM = 0.01  # decimetres


@dataclass(frozen=True)
class Surfaces:
    """Triangles in B pictures and how they look."""

    pixels: Tensor  # (B, N, 2)
    depth: Tensor  # (B, N) decimetres; of what is not there below 0
    colours: Tensor  # (B, N, 3)
    grain: Tensor  # (B, N, 2) coordinates of the texture, in 32 pixels of a noise field
    contrast: Tensor  # (B, N) of the texture
    triangles: Tensor  # (T, 3) int32

    def __add__(self, other: Surfaces) -> Surfaces:
        """Both."""
        return Surfaces(
            torch.cat([self.pixels, other.pixels], dim=1),
            torch.cat([self.depth, other.depth], dim=1),
            torch.cat([self.colours, other.colours], dim=1),
            torch.cat([self.grain, other.grain], dim=1),
            torch.cat([self.contrast, other.contrast], dim=1),
            torch.cat([self.triangles, other.triangles + self.depth.shape[1]]),
        )

    @property
    def clip(self) -> Tensor:
        """(B, N, 4)"""
        return clip_space(self.pixels, self.depth, SIZE)


@dataclass(frozen=True)
class Overlay:
    """Surfaces that let through what is behind them."""

    surfaces: Surfaces
    opacity: Tensor  # (B, N)
    inside: Tensor  # (B, N) pixels from the border, where that is soft

    def __add__(self, other: Overlay) -> Overlay:
        """Both."""
        return Overlay(
            self.surfaces + other.surfaces,
            torch.cat([self.opacity, other.opacity], dim=1),
            torch.cat([self.inside, other.inside], dim=1),
        )


class Painter:
    """Draws with one rasteriser and one stock of noise fields (K, N, N), from fine to coarse."""

    def __init__(self, rasterizer: Rasterizer, noise: Tensor) -> None:
        self._rasterizer, self._noise = rasterizer, noise

    def background(self, background: Background) -> Tensor:
        """Pictures (B, H, W, 3): blends of four corner colours, and zoomed noise."""
        place = torch.arange(CROP_SIZE, device=self._noise.device)
        share = (place / (CROP_SIZE - 1))[:, None]
        (above, below), zoom = background.corners.unbind(1), background.zoom[:, None]
        rows = above[:, None] + share[:, None] * (below - above)[:, None]  # (B, H, 2, 3)
        picture = rows[:, :, None, 0] + share * (rows[:, :, 1] - rows[:, :, 0])[:, :, None]
        x, y = (place * zoom + background.offset[:, k, None] for k in range(2))
        noise = self.noise_at(background.noise, x[:, None], y[:, :, None])
        return picture + background.amount[:, None, None] * noise[..., None]

    def opaque(self, picture: Tensor, surfaces: Surfaces, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures (B, H, W, 3) with surfaces, textured by noise fields (B,), over them; and depth (B, H, W)."""
        seen, values, depth = self._draw(surfaces, noise)
        return torch.where(seen[..., None], values[..., :3], picture), depth

    def overlay(self, picture: Tensor, depth: Tensor, overlay: Overlay, noise: Tensor) -> Tensor:
        """The pictures with what is not hidden of an overlay blended over them."""
        extra = torch.stack([overlay.opacity, overlay.inside], dim=-1)
        seen, values, nearer = self._draw(overlay.surfaces, noise, extra)
        opacity = values[..., 3] * values[..., 4].clamp(0, 1) * (seen & (nearer < depth + TOUCHING))
        return picture + opacity[..., None] * (values[..., :3] - picture)

    def noise_at(self, which: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The noise fields `which` (B,) at columns and rows that broadcast to (B, H, W), bilinear, without an end."""
        size = self._noise.shape[-1]
        left, top = x.floor(), y.floor()
        fx, fy = x - left, y - top
        columns = [(left.long() + k) % size for k in (0, 1)]
        rows = [(which[:, None, None] * size + (top.long() + k) % size) * size for k in (0, 1)]
        flat = self._noise.flatten()
        above, below = (flat[row + columns[0]] * (1 - fx) + flat[row + columns[1]] * fx for row in rows)
        return above * (1 - fy) + below * fy

    def _draw(self, surfaces: Surfaces, noise: Tensor, extra: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Where surfaces are (B, H, W), their textured colours and what is `extra` (B, H, W, 3 + E), and depth."""
        look = [surfaces.colours, surfaces.grain, surfaces.contrast[..., None], *([] if extra is None else [extra])]
        fragments = self._rasterizer.rasterize(surfaces.clip.contiguous(), surfaces.triangles, SIZE)
        values = self._rasterizer.interpolate(torch.cat(look, dim=-1), fragments, surfaces.triangles)
        x, y = (GRAIN_SCALE * values[..., 3:5]).unbind(-1)
        factor = (1 + values[..., 5] * self.noise_at(noise, x, y)).clamp(min=0)
        colours = values[..., :3] * factor[..., None]
        return fragments.triangle >= 0, torch.cat([colours, values[..., 6:]], dim=-1), fragments.depth


def flat_things(things: Things, nearest: float) -> Surfaces:
    """Flat things as fans round their middles, the last of them at the `nearest` depth in decimetres."""
    count, many = things.outlines.shape[:2]
    device = things.outlines.device
    points = torch.cat([things.outlines, things.outlines.mean(dim=2, keepdim=True)], dim=2)  # (B, K, CORNERS + 1, 2)
    order = torch.arange(many, device=device)
    depth = nearest * (1 + 0.01 * (many - 1 - order))
    shift = (things.gradients[:, :, None] * points / CROP_SIZE).sum(dim=-1, keepdim=True)
    corner = torch.arange(CORNERS, device=device)
    fan = torch.stack([corner, (corner + 1) % CORNERS, torch.full_like(corner, CORNERS)], dim=1)
    return Surfaces(
        pixels=points.flatten(1, 2),
        depth=depth.repeat_interleave(CORNERS + 1).expand(count, -1),
        colours=(things.colours[:, :, None] + shift).flatten(1, 2),
        grain=points.flatten(1, 2) / GRAIN_SCALE,
        contrast=torch.full((count, many * (CORNERS + 1)), FLAT_CONTRAST, device=device),
        triangles=(fan + (CORNERS + 1) * order[:, None, None]).flatten(0, 1).int(),
    )


def opaque_overlay(surfaces: Surfaces) -> Overlay:
    """Surfaces that let nothing through."""
    whole = torch.ones_like(surfaces.depth)
    return Overlay(surfaces, whole, whole)


def glasses_overlay(glasses: Glasses, standpoints: Standpoints) -> Overlay:
    """Lenses, and rims, arch and temples as ribbons with soft borders."""
    half = (0.5 * glasses.width * standpoints.pixels_per_dm).clamp(min=0.6)
    framed = glasses.worn & ~glasses.rimless
    lines = [(glasses.rims[:, k], framed) for k in range(2)] + [(glasses.arch, glasses.worn)]
    lines += [(glasses.temples[:, k], glasses.worn) for k in range(2)]
    overlay = _lens(glasses, 0, standpoints) + _lens(glasses, 1, standpoints)
    for points, there in lines:
        overlay = overlay + _ribbon(*standpoints.see(points), half, glasses.colour, there)
    return overlay


def _lens(glasses: Glasses, side: int, standpoints: Standpoints) -> Overlay:
    rim = glasses.rims[:, side]
    pixels, depth = standpoints.see(torch.cat([rim, rim.mean(dim=1, keepdim=True)], dim=1))
    count, corners = len(rim), rim.shape[1]
    corner = torch.arange(corners - 1, device=rim.device)
    shift = (glasses.reflection[:, side, None] * pixels / CROP_SIZE).sum(dim=-1, keepdim=True)
    surfaces = Surfaces(
        pixels=pixels,
        depth=torch.where(glasses.worn[:, None], depth + LENS_BEHIND_RIM, -1.0),
        colours=glasses.lens_colour[:, None] + shift,
        grain=torch.zeros_like(pixels),
        contrast=torch.zeros_like(depth),
        triangles=torch.stack([corner, corner + 1, torch.full_like(corner, corners)], dim=1).int(),
    )
    return Overlay(surfaces, glasses.lens_opacity[:, None].expand(count, corners + 1), torch.ones_like(depth))


def _ribbon(pixels: Tensor, depth: Tensor, half: Tensor, colour: Tensor, there: Tensor) -> Overlay:
    """Polylines (B, N, 2) of half widths (B,) in pixels and colours (B, 3), where they are `there` (B,)."""
    along = torch.cat(
        [pixels[:, 1:2] - pixels[:, :1], pixels[:, 2:] - pixels[:, :-2], pixels[:, -1:] - pixels[:, -2:-1]], 1
    )
    across = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    across = torch.nn.functional.normalize(across, dim=-1) * (half + 0.5)[:, None, None]
    points = torch.stack([pixels - across, pixels, pixels + across], dim=2).flatten(1, 2)  # three for each of N
    steps = depth.shape[1]
    start = 3 * torch.arange(steps - 1, device=pixels.device)[:, None, None]
    quads = torch.tensor([[0, 1, 3], [1, 4, 3], [1, 2, 4], [2, 5, 4]], device=pixels.device)
    surfaces = Surfaces(
        pixels=points,
        depth=torch.where(there[:, None], depth, -1.0).repeat_interleave(3, dim=1),
        colours=colour[:, None].expand(-1, 3 * steps, -1),
        grain=torch.zeros_like(points),
        contrast=torch.zeros_like(points[..., 0]),
        triangles=(start + quads).flatten(0, 1).int(),
    )
    middle = torch.tensor([0.0, 1.0, 0.0], device=pixels.device).repeat(steps)
    return Overlay(surfaces, torch.ones_like(points[..., 0]), middle * (half + 0.5)[:, None])


BEHIND, BEFORE = 0.9 * FAR, 1.5 * NEAR
"""Depths in decimetres of the nearest thing behind a head, and of the nearest before it."""
