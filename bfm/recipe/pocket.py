"""The pocket behind the lips moves with the skin before it.

The scans show skin alone; what the source says of the inside of a person's lips and cheeks is a guess that now and then
comes out through the chin. Here the wall of the pocket takes the displacement of the skin that it lines, so that lips
and cheeks stay as thick as those of the mean head.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from recipe.topology import Topology

LINING_CM, FREE_CM = 0.6, 2.4  # from the skin: the wall goes wholly with it up to, and its own way from
NEIGHBOURS = 12  # skin vertices that an inner one follows, by inverse distance


def follow_skin(components: np.ndarray, vertices: np.ndarray, topology: Topology) -> np.ndarray:
    """Components (K, V, 3) whose displacements of the mouth's wall are those of the skin near it.

    `vertices` (V, 3) are the mean head's, centimetres.
    """
    inner = np.flatnonzero(topology.vertex_part == topology.part_names.index("mouth_socket"))
    skin = np.flatnonzero(topology.vertex_part == topology.part_names.index("face"))
    distance, nearest = KDTree(vertices[skin]).query(vertices[inner], k=NEIGHBOURS)
    closeness = 1 / np.maximum(distance, 1e-3) ** 2
    closeness /= closeness.sum(axis=1, keepdims=True)
    skins = np.einsum("nk,cnkd->cnd", closeness, components[:, skin[nearest]])
    free = np.clip((distance[:, 0] - LINING_CM) / (FREE_CM - LINING_CM), 0, 1)[:, None]
    result = components.copy()
    result[:, inner] = skins + free * free * (3 - 2 * free) * (components[:, inner] - skins)
    return result
