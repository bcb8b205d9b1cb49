"""The layers of scenes on any device: what the kernels of painting.py do, in torch, for many at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from deep3d.camera import CROP_SIZE
from deep3d.rendering.interface import Rasterizer
from deep3d.synthetic.painting import GRAIN_SCALE
from deep3d.synthetic.scenes import Background
from deep3d.synthetic.surfaces import PICTURE, Overlay, Surfaces


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
        """The pictures with the visible part of an overlay blended over them."""
        extra = torch.stack([overlay.opacity, overlay.inside], dim=-1)
        seen, values, nearer = self._draw(overlay.surfaces, noise, extra)
        opacity = values[..., 3] * values[..., 4].clamp(0, 1) * (seen & (nearer < depth))
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
        """Coverage of surfaces (B, H, W), their textured colours and `extra` attributes (B, H, W, 3 + E), and depth."""
        look = [surfaces.colours, surfaces.grain, surfaces.contrast[..., None], *([] if extra is None else [extra])]
        fragments = self._rasterizer.rasterize(surfaces.clip.contiguous(), surfaces.triangles, PICTURE)
        values = self._rasterizer.interpolate(torch.cat(look, dim=-1), fragments, surfaces.triangles)
        x, y = (GRAIN_SCALE * values[..., 3:5]).unbind(-1)
        factor = (1 + values[..., 5] * self.noise_at(noise, x, y)).clamp(min=0)
        colours = values[..., :3] * factor[..., None]
        return fragments.triangle >= 0, torch.cat([colours, values[..., 6:]], dim=-1), fragments.depth
