"""What goes between a process and its confined ones: a few values as JSON, and bytes; nothing is ever unpickled."""

from __future__ import annotations

import json
import os
import shutil
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">IQ")  # of the values, of the bytes
_MOST_VALUES = 1 << 20  # bytes
_PART = 1 << 18  # bytes

Values = dict[str, Any]


class Broken(Exception):
    """The other side is gone, or says what it may not."""


def send(stream: IO[bytes], values: Values, content: IO[bytes]) -> None:
    """Send values, and all of a file that can be searched: a part at a time, so that memory never holds it whole.

    Raises: Broken.
    """
    told = json.dumps(values).encode()
    length = content.seek(0, os.SEEK_END)
    content.seek(0)
    try:
        stream.write(_LENGTHS.pack(len(told), length))
        stream.write(told)
        shutil.copyfileobj(content, stream, _PART)
        stream.flush()
    except (OSError, ValueError) as error:  # ValueError: closed meanwhile
        raise Broken from error


def receive(stream: IO[bytes], most: int) -> tuple[Values, bytes]:
    """The next message, whose content has `most` bytes at most.

    Raises: Broken.
    """
    values_length, length = _LENGTHS.unpack(_read(stream, _LENGTHS.size))
    if values_length > _MOST_VALUES or length > most:
        raise Broken
    values = json.loads(_read(stream, values_length))
    return values, _read(stream, length)


def _read(stream: IO[bytes], length: int) -> bytes:
    try:
        content = stream.read(length)
    except (OSError, ValueError) as error:
        raise Broken from error
    if len(content) < length:
        raise Broken
    return content
