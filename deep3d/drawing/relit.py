"""relit: a head from any side in another light, without that of its photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deep3d.camera import Pose
from deep3d.drawing.looks import in_light
from deep3d.material import RelightableHead

BACKDROP = (58, 60, 64)


def relight(head: RelightableHead, light: str | Path | np.ndarray, pose: Pose, size: int = 1024) -> np.ndarray:
    """(size, size, 3) uint8: a head turned to a pose in a light that stays where it is.

    The light is a preset by its name, a .hdr file, or a panorama (H, W, 3) of linear radiance as
    `deep3d.environment` gives it.

    Raises: EnvironmentInvalid.
    """
    return in_light(head, light).view(pose, size, BACKDROP)
