"""Radiance .hdr pictures (Ward, "Real pixels", 1991): read with and without run lengths, written without."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deep3d.errors import EnvironmentInvalid

LARGEST = 8192  # pixels a side


def hdr(picture: np.ndarray) -> bytes:
    """A file of linear RGB (H, W, 3)."""
    height, width = picture.shape[:2]
    peak = picture.max(axis=2)
    mantissa, exponent = np.frexp(np.maximum(peak, 1e-32))
    scale = np.where(peak > 1e-32, mantissa * 256 / np.maximum(peak, 1e-32), 0)
    codes = np.zeros((height, width, 4), np.uint8)
    codes[..., :3] = np.clip(picture * scale[..., None], 0, 255)
    codes[..., 3] = np.where(peak > 1e-32, np.clip(exponent + 128, 0, 255), 0)
    return f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode() + codes.tobytes()


def read_hdr(path: Path) -> np.ndarray:
    """Linear RGB (H, W, 3) float32.

    Raises: EnvironmentInvalid.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvironmentInvalid(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        header, body = content.split(b"\n\n", 1)
        size, body = body.split(b"\n", 1)
        words = size.split()
        if not header.startswith(b"#?") or words[0] != b"-Y" or words[2] != b"+X":
            raise ValueError
        height, width = int(words[1]), int(words[3])
        if not (0 < height <= LARGEST and 0 < width <= LARGEST):
            raise ValueError
        codes = _pixels(np.frombuffer(body, np.uint8), height, width)
    except (ValueError, IndexError) as error:
        raise EnvironmentInvalid(f"{path}: not a Radiance .hdr picture; give a .hdr file of a whole sphere") from error
    exponent = np.ldexp(np.float32(1), codes[..., 3].astype(np.int32) - 136)
    return codes[..., :3] * np.where(codes[..., 3:] > 0, exponent[..., None], np.float32(0))


def _pixels(body: np.ndarray, height: int, width: int) -> np.ndarray:
    """Codes (H, W, 4), whichever way each row is stored.

    Raises: ValueError, IndexError.
    """
    if not (8 <= width < 32768 and body[0] == 2 and body[1] == 2 and body[2] < 128):
        return body[: height * width * 4].reshape(height, width, 4)
    out, place = np.empty((height, 4, width), np.uint8), 0
    for row in range(height):
        place += 4
        for channel in range(4):
            column = 0
            while column < width:
                count = int(body[place])
                if count > 128:
                    count -= 128
                    out[row, channel, column : column + count] = body[place + 1]
                    place += 2
                else:
                    out[row, channel, column : column + count] = body[place + 1 : place + 1 + count]
                    place += 1 + count
                if count == 0:
                    raise ValueError("an empty run")
                column += count
    return out.transpose(0, 2, 1)
