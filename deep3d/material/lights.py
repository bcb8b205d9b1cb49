"""The preset lights for browsers: small panoramas in one file."""

from __future__ import annotations

import json
import struct

import numpy as np

from deep3d.material.environments import PRESETS, environment
from deep3d.material.relighting import paper_exposure


def lights_file() -> bytes:
    """All presets, each so bright that white paper that faces the camera comes to 0.9.

    Little-endian: the length of a JSON header in four bytes, the header {"names", "height", "width"} padded to four
    bytes, then for each name the panorama (height x width x 4 float16: red, green, blue, 1), row 0 below, as WebGL has
    textures; else as `environment` gives it.
    """
    panoramas = [environment(name) for name in PRESETS]
    height, width = panoramas[0].shape[:2]
    header = json.dumps({"names": list(PRESETS), "height": height, "width": width}).encode()
    header += b" " * (-len(header) % 4)
    pixels = [np.dstack([each * paper_exposure(each), np.ones((height, width))])[::-1] for each in panoramas]
    return b"".join([struct.pack("<I", len(header)), header, np.stack(pixels).astype("<f2").tobytes()])
