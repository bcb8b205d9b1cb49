"""How skin, eyes and teeth shine: reflectance at normal incidence and roughness by region, and the GGX lobe.

Levels are those of d'Eon and Luebke ("Advanced techniques for realistic real-time skin rendering", 2007): roughness 0.3
of the microfacets, refractive index 1.4. Regions differ as Weyrich et al. ("Analysis of human faces using a
measurement-based skin reflectance model", 2006) measured: forehead, nose and lips shine more than cheeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from deep3d.face_model import FaceModel
from deep3d.texture.hair import scalp
from deep3d.texture.skin_colour import eyeballs, mouth_interior

SKIN_SPECULAR, SKIN_ROUGHNESS = 0.028, 0.55  # (1.4 - 1)^2 / (1.4 + 1)^2; the square root of 0.3
WET_SPECULAR, WET_ROUGHNESS = 0.025, 0.12  # a film of tears or saliva: index 1.37
HAIR_SPECULAR, HAIR_ROUGHNESS = 0.02, 0.7
OILY = {"forehead": 0.45, "nose": 0.7, "chin": 0.25, "lips": 0.5, "cheeks": -0.25}
"""How much more a region shines, as the logarithm of its specular reflectance."""
SMOOTHER = 0.22  # fall of the logarithm of roughness with each unit of that
STRONGEST = 2.5  # times the prior that a photo may make a region shine, or one over it


@dataclass(frozen=True, eq=False)
class Gloss:
    """Of each of V vertices."""

    specular: np.ndarray  # (V,) reflectance at normal incidence
    roughness: np.ndarray  # (V,) as glTF has it: the square root of GGX's alpha

    def scaled(self, factor: np.ndarray | float) -> Gloss:
        """The same, shining more by a factor (V,), and smoother where it does."""
        smoother = np.clip(self.roughness * np.asarray(factor, np.float32) ** -SMOOTHER, 0.08, 1)
        return Gloss(np.clip(self.specular * factor, 0.005, 0.08), smoother)


def region_masks(model: FaceModel) -> dict[str, np.ndarray]:
    """Soft masks (V,) in [0, 1] of the regions of a face model's skin."""
    mean = model.mean_shape
    points = model.landmarks(mean[None])[0]
    brow = points[17:27].mean(axis=0)
    places = {
        "forehead": [(brow + [0, 0.28, 0], 0.38)],
        "nose": [(points[30], 0.16), (points[28], 0.14)],
        "chin": [(points[8] + [0, 0.12, 0.05], 0.2)],
        "lips": [(points[48:60].mean(axis=0), 0.2)],
        "cheeks": [(points[[1, 2, 31, 48]].mean(axis=0), 0.3), (points[[15, 14, 35, 54]].mean(axis=0), 0.3)],
    }
    masks = {}
    for name, spots in places.items():
        near = [np.exp(-(((mean - centre) / size) ** 2).sum(axis=1)) for centre, size in spots]
        masks[name] = (np.max(near, axis=0) * model.skin).astype(np.float32)
    return masks


def usual_gloss(model: FaceModel) -> Gloss:
    """What is believed before a photo is seen."""
    masks = model.derived(region_masks)
    shine = sum((OILY[name] * mask for name, mask in masks.items()), np.zeros(len(model.skin)))
    skin = Gloss(np.full(len(shine), SKIN_SPECULAR), np.full(len(shine), SKIN_ROUGHNESS)).scaled(np.exp(shine))
    hairy = model.derived(scalp) > 0.5
    wet = eyeballs(model) | mouth_interior(model)
    specular = np.select([wet, hairy], [WET_SPECULAR, HAIR_SPECULAR], skin.specular)
    roughness = np.select([wet, hairy], [WET_ROUGHNESS, HAIR_ROUGHNESS], skin.roughness)
    return Gloss(specular.astype(np.float32), roughness.astype(np.float32))


@numba.njit(cache=True, nogil=True, fastmath=True)
def lobes(normals, view, directions, visible, specular, roughness):
    """(P, D) float32: what P points reflect toward a viewer of lights of irradiance pi, cosine included.

    A GGX lobe with Smith's masking and Schlick's Fresnel term (Walter et al., 2007). Normals and view (P, 3), and
    directions (D, 3), are unit vectors; `visible` (P, D) is the share of each light that arrives.
    """
    out = np.zeros(visible.shape, np.float32)
    for p in range(len(normals)):
        nx, ny, nz = normals[p]
        vx, vy, vz = view[p]
        nv = max(nx * vx + ny * vy + nz * vz, 0.05)
        alpha2, base = roughness[p] ** 4, specular[p]
        for d in range(len(directions)):
            dx, dy, dz = directions[d]
            nl = nx * dx + ny * dy + nz * dz
            if nl <= 0 or visible[p, d] <= 0:
                continue
            hx, hy, hz = vx + dx, vy + dy, vz + dz
            length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
            nh = max(nx * hx + ny * hy + nz * hz, 0) / length
            vh = (vx * hx + vy * hy + vz * hz) / length
            peak = alpha2 / max(nh * nh * (alpha2 - 1) + 1, 1e-4) ** 2
            masking = nl * np.sqrt(nv * nv * (1 - alpha2) + alpha2) + nv * np.sqrt(nl * nl * (1 - alpha2) + alpha2)
            fresnel = base + (1 - base) * max(1 - vh, 0) ** 5
            out[p, d] = visible[p, d] * nl * 0.5 * peak / (masking + 1e-5) * fresnel
    return out
