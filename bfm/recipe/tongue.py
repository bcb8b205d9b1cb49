"""tongueOut, which the source lacks: the tongue's front slides over the lower teeth and bends down."""

from __future__ import annotations

import numpy as np

from deep3d.face_model import FaceModel

TONGUE = np.arange(11515, 11586)  # of the open model's vertices
ROOT, TIP = -0.2, 0.3  # decimetres in model space, front to back: from where it moves, and where it moves fully
OUT, OVER, DOWN = 0.62, 0.07, 0.16  # decimetres forward, up over the teeth, and down beyond the lips


def tongue_out(model: FaceModel) -> dict[str, np.ndarray]:
    """The vertices that move, and their offsets."""
    share = np.clip((model.mean_shape[TONGUE, 2] - ROOT) / (TIP - ROOT), 0, 1)
    share = share**2 * (3 - 2 * share)
    offsets = np.stack([np.zeros_like(share), OVER * share - DOWN * share**4, OUT * share], axis=1)
    moving = share > 0
    return {
        "tongue": TONGUE[moving].astype(np.uint16),
        "tongue_out": offsets[moving].astype(np.float16),
    }
