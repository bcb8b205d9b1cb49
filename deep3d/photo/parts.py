"""Count the parts of a photo file before decoding: a decoder's time and memory grow with them.

Segments and scans of a JPEG, chunks of PNG and WebP, comments of a GIF, tags of a TIFF, boxes of HEIC and AVIF. Files
of cameras and programs have few; a file with many is an attack. Each walk ends at its limit, so it takes milliseconds.
"""

from __future__ import annotations

import re
import struct

from deep3d.errors import PhotoUnreadable

MOST_SEGMENTS = 2000  # of a JPEG: 64 kilobytes each; depth maps and videos of phones use them
MOST_EXIF_SEGMENTS = 16  # one is usual; decoders join all of them at each
MOST_SCANS = 100  # of a JPEG: the usual scripts of progressive ones make ten
MOST_SCANNED_PIXELS = 1_000_000_000  # of all its scans together: each goes over the whole picture
MOST_JUNK = 1 << 16  # bytes between segments of a JPEG, which decoders skip one by one
MOST_CHUNKS = 1000  # of PNG and WebP, beside those that the length of the file explains
SHORTEST_CHUNK = 512  # bytes, mean: encoders write 8 kilobytes at a time
MOST_BOXES = 1000  # of HEIC and AVIF, side by side
MOST_PROPERTIES = 1 << 22  # bytes of all of HEIC and AVIF
MOST_WORDS = 1 << 20  # bytes before the picture of a GIF
MOST_TAGS = 1000  # of a TIFF
MOST_NUMBERS = 200_000  # in one tag of a TIFF: the places of its strips

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)  # in the data of a scan, only the next segment's
_EXIF, _START_OF_SCAN, _END = 0xE1, 0xDA, 0xD9
_WITHOUT_LENGTH = (0x01, 0xD8)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # segments with the size of the picture
_TIFF_BYTES = (1, 2, 6, 7)  # types of tags that decoders copy at once: bytes and text


def check_parts(content: bytes, name: str) -> None:
    """Check the structure of a file; unknown formats pass.

    Raises: PhotoUnreadable if it has more parts than any real photo.
    """
    try:
        for kind, walk in _WALKS:
            if kind.match(content):
                return walk(content)
    except _TooMany as error:
        raise PhotoUnreadable(
            f"{name}: {error} than any photo has; save the photo again, or get a fresh copy"
        ) from None
    except (struct.error, IndexError):  # cut off: the decoder says so
        return None


class _TooMany(Exception):
    """The kind of part that exceeds its limit."""


def _walk_jpeg(content: bytes) -> None:
    segments = exif = scans = pixels = 0
    at = 2
    while match := _MARKER.search(content, at):
        if not scans and match.start() - at > MOST_JUNK:
            raise _TooMany("more bytes between its segments")
        marker, at = content[match.end() - 1], match.end()
        if marker == _END:
            return
        segments += 1
        exif += marker == _EXIF and content[at + 2 : at + 6] == b"Exif"
        scans += marker == _START_OF_SCAN
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 3)
            pixels = max(pixels, height * width)
        _require(segments <= MOST_SEGMENTS, "more segments")
        _require(exif <= MOST_EXIF_SEGMENTS, "more Exif segments")
        _require(scans <= MOST_SCANS and scans * pixels <= max(MOST_SCANNED_PIXELS, pixels), "more scans")
        if marker not in _WITHOUT_LENGTH:
            at += struct.unpack_from(">H", content, at)[0]


def _walk_png(content: bytes) -> None:
    at, chunks = 8, 0
    while at < len(content):
        chunks += 1
        _require(chunks <= MOST_CHUNKS + len(content) // SHORTEST_CHUNK, "more chunks")
        at += 12 + struct.unpack_from(">I", content, at)[0]


def _walk_webp(content: bytes) -> None:
    at, chunks = 12, 0
    while at < len(content):
        chunks += 1
        _require(chunks <= MOST_CHUNKS + len(content) // SHORTEST_CHUNK, "more chunks")
        length = struct.unpack_from("<I", content, at + 4)[0]
        at += 8 + length + length % 2


def _walk_gif(content: bytes) -> None:
    """Up to its first picture, which is the one that is used."""
    flags = content[10]
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    most = at + MOST_WORDS
    while content[at] not in b",;":
        _require(at <= most, "more comments")
        if content[at] != ord("!"):  # junk
            at += 1
            continue
        at += 2
        while length := content[at]:
            _require(at <= most, "more comments")
            at += 1 + length
        at += 1


def _walk_tiff(content: bytes) -> None:
    """The tags of its first picture, in which a large TIFF has longer numbers."""
    order = "<" if content.startswith(b"II") else ">"
    large = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    place, number, entry = ("Q", "Q", 20) if large else ("I", "H", 12)
    at = struct.unpack_from(f"{order}{place}", content, 8 if large else 4)[0]
    tags = struct.unpack_from(f"{order}{number}", content, at)[0]
    _require(tags <= MOST_TAGS, "more tags")
    at += struct.calcsize(f"={number}")
    for _ in range(tags):
        _, kind, numbers = struct.unpack_from(f"{order}HH{place}", content, at)
        _require(numbers <= MOST_NUMBERS or kind in _TIFF_BYTES, "more numbers in a tag")
        at += entry


def _walk_boxes(content: bytes) -> None:
    at, boxes = 0, 0
    while at < len(content):
        boxes += 1
        _require(boxes <= MOST_BOXES, "more boxes")
        length = struct.unpack_from(">I", content, at)[0]
        if length == 1:
            length = struct.unpack_from(">Q", content, at + 8)[0]
        _require(length <= MOST_PROPERTIES or content[at + 4 : at + 8] != b"meta", "more properties")
        if length < 8:  # 0: to the end; otherwise damaged
            return
        at += length


def _require(few: bool, what: str) -> None:
    if not few:
        raise _TooMany(what)


_WALKS = (
    (re.compile(rb"\xff\xd8"), _walk_jpeg),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _walk_png),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _walk_webp),
    (re.compile(rb"GIF8[79]a"), _walk_gif),
    (re.compile(rb"(II[*+]\x00|MM\x00[*+])"), _walk_tiff),
    (re.compile(rb"....ftyp", re.DOTALL), _walk_boxes),
)
