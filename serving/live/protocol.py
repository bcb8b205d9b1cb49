"""What page and live process say to each other: frames one way, a face in numbers the other; all little-endian.

A frame is its number (uint32), milliseconds since the camera began (uint32), and a baseline JPEG. An answer has the
number of its frame (uint32), whether there is a face (uint8), how often its identity was fitted so far (uint8), two
bytes of nothing, and if there is a face these float32: turns about x, y, z in radians (3), place in pixels of the
frame (2), logarithm of pixels for a decimetre, 1 / distance of the camera in decimetres, landmark error to expect in
percent; expression (64); ARKit's weights (52); yaw and pitch of the left eye and the right one (4); and whenever the
identity has changed, the identity (80).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg

if TYPE_CHECKING:
    from deep3d.video.live import LiveFace

SUBPROTOCOL = "deep3d.live.1"
MOST_BYTES = 400_000  # of a message
LARGEST_SIDE = 1280  # pixels of a frame
SMALLEST_SIDE = 32
_FRAME = struct.Struct("<II")
_ANSWER = struct.Struct("<IBBxx")
_BEGIN, _BASELINE, _SCAN = b"\xff\xd8", b"\xff\xc0", b"\xff\xda"
_MOST_SCANS = 4  # of a baseline picture; each costs as much as decoding it once


class GarbageError(Exception):
    """A message that no page sends, with the reason."""


@dataclass(frozen=True)
class Frame:
    """A picture that is not decoded yet."""

    number: int
    time: float  # seconds since the camera began
    jpeg: bytes


def read_frame(message: bytes | str) -> Frame:
    """What a page has sent; nothing is decoded, which whoever sends too much should not cost us.

    Raises: GarbageError.
    """
    if isinstance(message, str) or len(message) <= _FRAME.size:
        raise GarbageError("send frames: number, milliseconds, JPEG")
    number, milliseconds = _FRAME.unpack_from(message)
    jpeg = message[_FRAME.size :]
    if not jpeg.startswith(_BEGIN) or _BASELINE not in jpeg or jpeg.count(_SCAN) > _MOST_SCANS:
        raise GarbageError("not a baseline JPEG")
    return Frame(number, milliseconds / 1000, jpeg)


def decode(frame: Frame) -> np.ndarray:
    """(H, W, 3) uint8.

    Raises: GarbageError.
    """
    try:
        height, width = map(int, simplejpeg.decode_jpeg_header(frame.jpeg)[:2])
        if not SMALLEST_SIDE <= min(height, width) <= max(height, width) <= LARGEST_SIDE:
            raise GarbageError(f"frames have {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side")
        return simplejpeg.decode_jpeg(frame.jpeg, "RGB", fastdct=True)
    except ValueError as error:
        raise GarbageError("damaged JPEG") from error


Head = tuple[int, int]
"""Which identity an answer is about: the number of the person, and how often it was fitted."""
NOBODY: Head = (0, 0)


def head_of(face: LiveFace | None) -> Head:
    """Whose head it is, and as of which fit."""
    return NOBODY if face is None else (face.track.person.number, face.fitted)


def answer(number: int, face: LiveFace | None, told: Head) -> bytes:
    """What a page is told of a frame; `told` is the head of the answer before."""
    if face is None:
        return _ANSWER.pack(number, 0, 0)
    track = face.track
    numbers = [
        *(track.angles[0], track.place[0], track.scale, track.perspective, track.error),
        *(track.expression[0], face.weights, face.eyes.ravel()),
        *([track.person.identity] if head_of(face) != told else []),
    ]
    return _ANSWER.pack(number, 1, face.fitted) + np.concatenate(numbers).astype("<f4").tobytes()
