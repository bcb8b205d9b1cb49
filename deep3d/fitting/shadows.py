"""Cast shadows: where the head itself stands between a point and the main light.

Spherical harmonics darken what is turned away from a lamp, but know nothing of a nose's shadow on a cheek. Fitted, it
would become shape or skin. The estimated light's first band points to the main lamp (Ramamoorthi and Hanrahan, 2001).
"""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.material.transfer import visibility
from deep3d.mesh import normalize

CONE = 0.2  # tangent of the angle within which the lamp is looked for, because its direction is an estimate
LAMPS = 6  # directions looked at: the middle of the cone, and round its edge


def main_light(light: np.ndarray) -> np.ndarray:
    """(3,) the unit vector to where most of a light (3, 9) comes from; zero if from everywhere alike."""
    y, z, x = light[:, 1:4].mean(axis=0)
    toward = np.array([-x, -y, z])
    strength = float(np.linalg.norm(toward))
    return toward / strength if strength > 1e-6 else np.zeros(3)


def reached(model: FaceModel, vertices: np.ndarray, normals: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """(V,) in [0, 1]: the share of lamps round a direction (3,) that no part of the head hides from each vertex.

    Vertices that are turned away count as reached: that they are dark is no shadow's fault.
    """
    if not toward.any():
        return np.ones(len(vertices), np.float32)
    aside = normalize(np.cross(toward, np.eye(3)[np.abs(toward).argmin()]))
    angles = 2 * np.pi * np.arange(LAMPS - 1) / (LAMPS - 1)
    round_it = np.cos(angles)[:, None] * aside + np.sin(angles)[:, None] * np.cross(toward, aside)
    lamps = normalize(np.concatenate([toward[None], toward + CONE * round_it]).astype(np.float32))
    visible = visibility(vertices, normals, model.triangles, lamps)
    return np.where(normals @ lamps.T > 0, visible, 1).mean(axis=1)
