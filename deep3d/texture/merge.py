"""One texture from those of several photos of a person: each texel from the photos that show it best.

The weight of a texel depends on its visibility, the sharpness of the photo, and its exposure (Mertens, Kautz and Van
Reeth, 2007, "Exposure fusion"). Before that, all photos are matched to the light of one of them: the difference of the
logarithms of their low frequencies, known where both show the skin, is extended over the mesh.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from PIL import Image

from deep3d.errors import ShapeError
from deep3d.face_model import FaceModel
from deep3d.texture.atlas import Atlas, corner_weights, vertex_texels
from deep3d.texture.extract import Texture
from deep3d.texture.fill import logarithm, smooth, spread

LARGEST_GAIN = np.log(np.float32(3.0))  # between two photos' light
CHOOSINESS = 4  # exponent of the weights: the best photo of a texel dominates, so that detail is not averaged away
EXPOSURE_SPREAD = 0.3  # of the range of grey values round the middle
COARSE, FINE = 8, 2  # texels: sharpness is the contrast between these sizes, where grain and noise no longer count
LOW = 4  # texels that one sample of the low frequencies covers, across
SEEN = 0.8  # weight of a texel that surely shows the photo
REMAINDER = np.float32(0.3)  # minimum weight of the first photo everywhere, including its filled texels


def merge_textures(textures: Sequence[Texture], quality: np.ndarray, face_model: FaceModel) -> np.ndarray:
    """The merged texture (S, S, 3) uint8 of P photos; `quality` (P,) > 0 is a weight of each photo.
    Light, and what no photo shows, come from the photo with the largest weight.

    Raises: ShapeError if there is none, or a size or number differs.
    """
    if not textures or len(quality) != len(textures) or len({texture.weight.shape for texture in textures}) != 1:
        raise ShapeError(f"textures: expected some of one size and a quality each, got {len(textures)}, {len(quality)}")
    atlas = Atlas.of(face_model, len(textures[0].weight))
    weights = np.stack([texture.weight for texture in textures]).astype(np.float32) / 255
    counts = quality * np.array([sharpness(texture) for texture in textures])
    first = int(np.argmax(weights.mean(axis=(1, 2)) * counts))
    gains = _gains([textures[first], *textures], face_model, atlas)
    images = np.stack([texture.image for texture in textures])
    shares = (weights * _exposure(images) * (counts / counts.max())[:, None, None]) ** CHOOSINESS
    merged = _blend(
        atlas.triangle, atlas.weights, face_model.triangles, images, shares.astype(np.float32), gains, first
    )
    between, source = atlas.gutter.T
    merged.reshape(-1, 3)[between] = merged.reshape(-1, 3)[source]
    return merged


def sharpness(texture: Texture) -> float:
    """Contrast of a texture's middle frequencies, relative to its brightness, where it shows the photo."""
    grey = Image.fromarray(texture.image).convert("L")
    fine, coarse = (
        np.asarray(grey.reduce(step).resize(grey.size, Image.Resampling.BILINEAR)) for step in (FINE, COARSE)
    )
    seen = texture.weight > 255 * SEEN
    if not seen.any():
        return 1e-3
    difference = np.abs(fine[seen].astype(np.float32) - coarse[seen])
    return float(difference.mean() / max(float(coarse[seen].mean()), 1.0)) + 1e-3


def _exposure(images: np.ndarray) -> np.ndarray:
    """How well (P, S, S) each texel of (P, S, S, 3) images is exposed, in (0, 1]."""
    grey = images.mean(axis=3, dtype=np.float32) / 255
    return np.exp(-0.5 * ((grey - 0.5) / EXPOSURE_SPREAD) ** 2)


def _gains(textures: Sequence[Texture], face_model: FaceModel, atlas: Atlas) -> np.ndarray:
    """Factors (P, V, 3) that match each texture except the first to the light of the first."""
    column, row = vertex_texels(face_model, len(textures[0].weight) // LOW).T
    low = [np.asarray(Image.fromarray(texture.image).reduce(LOW))[row, column] for texture in textures]
    shown = [np.asarray(Image.fromarray(texture.weight).reduce(LOW))[row, column] / 255 for texture in textures]
    weights = [weight.astype(np.float32) * face_model.skin.astype(np.float32) for weight in shown]
    logs = [smooth(logarithm(colours), weight, atlas.neighbours) for colours, weight in zip(low, weights)]
    gains = []
    for other, weight in zip(logs[1:], weights[1:]):
        both = np.minimum(weight, weights[0])
        middle = (both @ (logs[0] - other) / max(float(both.sum()), 1e-3)).astype(np.float32)
        elsewhere = np.broadcast_to(middle, other.shape)
        gain = spread(logs[0] - other, both, elsewhere, atlas.neighbours, atlas.conductance)
        gains.append(np.exp(np.clip(gain, -LARGEST_GAIN, LARGEST_GAIN)))
    return np.stack(gains).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _blend(triangle, weights, triangles, images, shares, gains, first):
    """Mean of the images (P, S, S, 3) times gains (P, V, 3) by shares (P, S, S); what is left has the first image."""
    size = len(triangle)
    merged = np.zeros((size, size, 3), np.uint8)
    for row in range(size):
        for column in range(size):
            t = triangle[row, column]
            if t < 0:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            a, b, c = corner_weights(weights, row, column)
            total = REMAINDER**CHOOSINESS
            for channel in range(3):
                colour = total * images[first, row, column, channel]
                share = total
                for p in range(len(images)):
                    gain = a * gains[p, i, channel] + b * gains[p, j, channel] + c * gains[p, k, channel]
                    value = min(gain * images[p, row, column, channel], np.float32(255))
                    colour += shares[p, row, column] * value
                    share += shares[p, row, column]
                merged[row, column, channel] = np.uint8(colour / share + np.float32(0.5))
    return merged
