"""Files that are small to send and heavy to decode: each takes an ordinary decoder minutes, or gigabytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

_MB = 1_000_000
_SIZE = 24 * _MB  # bytes of the long ones: as much as a site takes
_SQUARE = [(256, 4, 1, 4000), (257, 4, 1, 4000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]  # tags of a TIFF


def heavy_files() -> dict[str, Callable[[], bytes]]:
    """Each by what it is; they are made when they are called."""
    return {
        "JPEG of two million Exif segments": lambda: _jpeg_with(_segment(0xE1, b"Exif\0\0") * 2_000_000),
        "JPEG of long Exif segments": lambda: _jpeg_with(_segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 360),
        "JPEG of four million comments": lambda: _jpeg_with(_segment(0xFE, b"") * 4_000_000),
        "JPEG of zeros between segments": lambda: _jpeg_with(bytes(_SIZE)),
        "JPEG of fill bytes between segments": lambda: _jpeg_with(b"\xff" * _SIZE),
        "JPEG of 5,000 scans": lambda: _progressive((640, 480), 5000),
        "JPEG of 50 megapixels and 60 scans": lambda: _progressive((8000, 6250), 60),
        "JPEG that claims 4,000 megapixels": lambda: _claiming(65_500, 65_500),
        "PNG of two million chunks": lambda: _png_with(_chunk(b"abCd") * 2_000_000),
        "PNG of a million empty frames": lambda: _png_with(_chunk(b"fcTL", bytes(26)) * 600_000),
        "PNG of texts that swell": lambda: _png_with(_chunk(b"zTXt", b"a\0\0" + _swelling()) * 2000),
        "PNG of a profile that swells": lambda: _png_with(_chunk(b"iCCP", b"a\0\0" + _swelling(200))),
        "PNG that claims 60 megapixels": lambda: _claiming_png(10_000, 6_000),
        "PNG that claims 3,600 megapixels": lambda: _claiming_png(60_000, 60_000),
        "GIF of long comments": lambda: _gif_with((b"!\xfe" + (b"\xff" + b"x" * 255) * 4 + b"\0") * 23_000),
        "GIF of empty comments": lambda: _gif_with(b"!\xfe\0" * (_SIZE // 3)),
        "GIF of one-byte blocks": lambda: _gif_with(b"!\xfe" + b"\x01x" * (_SIZE // 2) + b"\0"),
        "GIF of zeros": lambda: _gif_with(bytes(_SIZE)),
        "GIF that claims 4,000 megapixels": _claiming_gif,
        "TIFF of 65,000 tags": lambda: _tiff([(number, 3, 1, 0) for number in range(65_000)]),
        "TIFF of three million strips": lambda: _tiff([*_SQUARE, (273, 4, 3_000_000, 200)]) + bytes(_SIZE),
        "TIFF of tags that share their data": lambda: _tiff([(n, 7, _SIZE, 8) for n in range(900)]) + bytes(_SIZE),
        "WebP of a million chunks": lambda: _webp_with(struct.pack("<4sI", b"ABCD", 0) * 1_000_000),
        "WebP of 56 megapixels in one colour": lambda: _encoded("WEBP", (8000, 7000), lossless=True),
        "HEIC of a million boxes": lambda: _heic(struct.pack(">I4s", 8, b"free") * 1_000_000),
        "HEIC of megabytes of properties": lambda: _heic(struct.pack(">I4s", _SIZE, b"meta") + bytes(_SIZE)),
        "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9999 9999\n" + b"0 0 moveto\n" * 500_000,
        "JPEG 2000 of 64 megapixels": _large_jpeg_2000,
        "PPM written as text": lambda: b"P3 3000 2000 255 " + b"1 " * (_SIZE // 2),
        "ICO of a large PNG": lambda: _encoded("ICO", (256, 256)),
        "PDF of a picture": lambda: _encoded("PDF", (640, 480)),
    }


def _encoded(kind: str, size: tuple[int, int] = (640, 480), **options: object) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "white").save(content, kind, **options)
    return content.getvalue()


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def _jpeg_with(inserted: bytes) -> bytes:
    photo = _encoded("JPEG")
    return photo[:2] + inserted + photo[2:]


def _progressive(size: tuple[int, int], scans: int) -> bytes:
    """The last scan, which costs least to send, again and again."""
    photo = _encoded("JPEG", size, progressive=True)
    last, end = photo.rfind(b"\xff\xda"), photo.rfind(b"\xff\xd9")
    return photo[:end] + photo[last:end] * scans + photo[end:]


def _claiming(width: int, height: int) -> bytes:
    photo = _encoded("JPEG")
    at = photo.index(b"\xff\xc0") + 5
    return photo[:at] + struct.pack(">HH", height, width) + photo[at + 4 :]


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png_with(inserted: bytes) -> bytes:
    photo = _encoded("PNG")
    return photo[:33] + inserted + photo[33:]


def _claiming_png(width: int, height: int) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", _swelling(200)) + _chunk(b"IEND")


def _swelling(megabytes: int = 1) -> bytes:
    return zlib.compress(bytes(megabytes * _MB), 9)


def _gif_with(inserted: bytes) -> bytes:
    photo = _encoded("GIF")
    start = 13 + (3 << (photo[10] & 7) + 1 if photo[10] & 0x80 else 0)
    return photo[:start] + inserted + photo[start:]


def _claiming_gif() -> bytes:
    picture = b",\0\0\0\0\xff\xff\xff\xff\0\x08" + b"\xff" * 255
    return b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\xf7\0\0" + bytes(768) + picture


def _tiff(tags: list[tuple[int, int, int, int]]) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)


def _webp_with(added: bytes) -> bytes:
    photo = _encoded("WEBP")
    return photo[:4] + struct.pack("<I", len(photo) + len(added) - 8) + photo[8:] + added


def _heic(boxes: bytes) -> bytes:
    return struct.pack(">I8s4s", 16, b"ftypheic", b"\0\0\0\0") + boxes


def _large_jpeg_2000() -> bytes:
    """A small one that claims to be large, in its header and in its data."""
    photo = _encoded("JPEG2000")
    sizes = struct.pack(">II", 480, 640), struct.pack(">II", 640, 480)  # of the box `ihdr`, of the segment SIZ
    return photo.replace(sizes[0], struct.pack(">II", 8000, 8000)).replace(sizes[1], struct.pack(">II", 8000, 8000))
