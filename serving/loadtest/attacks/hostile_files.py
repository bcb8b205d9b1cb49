"""What hostile people upload: files that lie, break off, or swell, and requests that are none."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

REFUSED = (400, 411, 413, 415, 422)  # in plain words; anything else is a fault
TAKEN = (202,)
BOUNDARY = "deep3dhostile"


@dataclass(frozen=True)
class Attempt:
    """One request: the body and its headers, as they go over the wire, and the answers that are right."""

    body: bytes
    headers: dict[str, str]
    expected: tuple[int, ...] = REFUSED


def form(
    content: bytes,
    name: str = "photo.jpg",
    expected: tuple[int, ...] = REFUSED,
    fields: Mapping[str, str] = MappingProxyType({}),
) -> Attempt:
    """An ordinary form with one photo; names and fields go out as they are, unescaped."""
    parts = [_part(f'name="photo"; filename="{name}"', content)]
    parts += [_part(f'name="{field}"', value.encode()) for field, value in fields.items()]
    return _multipart(b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(), expected)


def kinds(photo: bytes, most_mb: float, upload_mb: float) -> dict[str, Callable[[int], Attempt]]:
    """What is tried, by its name: a function from a number to an attempt; `photo` is a good JPEG."""
    return {
        "truncated": lambda n: form(photo[: max(4, len(photo) * (n % 10 + 1) // 21)]),
        "photo without its last bytes": lambda n: form(photo[: -(n % 100 + 1)], expected=TAKEN),
        "wrong type": lambda n: form(_WRONG_TYPES[n % len(_WRONG_TYPES)]),
        "polyglot": lambda n: form(_polyglots(photo)[n % 3]),
        "photo with something behind it": lambda n: form(photo + _archive(), expected=TAKEN),
        "bomb": lambda n: form(_bombs()[n % 4], "bomb.png"),
        "huge": lambda n: form(photo + bytes(int(most_mb * 1e6)) if n % 2 else bytes(int(upload_mb * 1e6))),
        "zero bytes": lambda n: form(b""),
        "path in the name": lambda n: form(photo, _PATHS[n % len(_PATHS)], expected=TAKEN),
        "header injection": lambda n: form(photo, fields=_INJECTIONS[n % len(_INJECTIONS)]),
        "broken form": lambda n: _broken_forms(photo)[n % 5],
    }


def _part(disposition: str, content: bytes) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


def _multipart(body: bytes, expected: tuple[int, ...] = REFUSED) -> Attempt:
    return Attempt(body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, expected)


_WRONG_TYPES = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
    b"MZ\x90\x00\x03" + bytes(200),
    b"\x7fELF\x02\x01\x01" + bytes(200),
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"<!DOCTYPE html><script>alert(1)</script>",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) (r) file",
    b"\x00\x00\x00\x20ftypisom" + bytes(200),
    b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20),
    b"push graphic-context\nfill 'url(https://127.0.0.1/x.jpg\"|ls \"-la)'\npop graphic-context",
    bytes(range(256)) * 64,
)
_PATHS = (
    "../../../etc/passwd",
    "..\\\\..\\\\windows\\\\win.ini",
    "/proc/self/environ",
    "C:\\\\x.jpg",
    "....//x.jpg",
    "x\x00.jpg",
)
_INJECTIONS = (
    {"email": "anna@example.com\r\nBcc: all@example.com"},
    {"email": "anna@example.com\nSubject: hello"},
    {"email": "<script>alert(1)</script>@example.com"},
    {"email": "anna@example.com, berta@example.com"},
    {"webhook": "http://169.254.169.254/latest/meta-data"},
    {"webhook": "https://user:password@example.com/\r\nX-Evil: 1"},
    {"faces": "all\r\nX-Evil: 1"},
)


def _polyglots(photo: bytes) -> list[bytes]:
    """Files that pass for pictures at their beginning, and are something else."""
    return [
        b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
        b"\xff\xd8\xff\xe0" + b"<?php system($_GET['x']); ?>" + photo[200:400],
        _archive() + photo,
    ]


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    return content.getvalue()


def _bombs() -> list[bytes]:
    """Small files that swell: in pixels, in their palette or in their words."""
    header = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    small = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0))
    zeros = zlib.compress(bytes(200_000_000), 1)
    words = _png_chunk(b"zTXt", b"Comment\0\0" + zeros)
    profile = _png_chunk(b"iCCP", b"profile\0\0" + zeros)
    end = _png_chunk(b"IEND", b"")
    return [
        _PNG + header + _png_chunk(b"IDAT", zeros) + end,
        _PNG + small + words + end,
        _PNG + small + profile + _png_chunk(b"IDAT", zeros[:2000]) + end,
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\xf7\0\0" + bytes(768) + b",\0\0\0\0\xff\xff\xff\xff\0\x08",
    ]


_PNG = b"\x89PNG\r\n\x1a\n"


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _broken_forms(photo: bytes) -> list[Attempt]:
    whole = form(photo)
    return [
        Attempt(whole.body[: len(whole.body) // 2], whole.headers),  # ends in the middle of the photo
        Attempt(whole.body, {"Content-Type": "multipart/form-data"}),  # names no boundary
        Attempt(b'{"photo": "x"}', {"Content-Type": "application/json"}),
        _multipart(b"".join(_part(f'name="x{n}"', b"x") for n in range(2000)) + f"--{BOUNDARY}--\r\n".encode()),
        _multipart(_part('name="photo"; filename="a.jpg"', photo) * 50 + f"--{BOUNDARY}--\r\n".encode()),
    ]
