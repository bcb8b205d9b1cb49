"""A kept photo that was found to lie on a side: the JPEG file says so to browsers, and its pixels stay as they are."""

from __future__ import annotations

import struct

_ORIENTATIONS = {90: 6, 180: 3, 270: 8}  # of EXIF, by degrees clockwise


def exif_segment(degrees: int) -> bytes:
    """What follows the first two bytes of a JPEG file without EXIF, so that it is shown turned by so many degrees."""
    if degrees % 360 == 0:
        return b""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, _ORIENTATIONS[degrees % 360], 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
