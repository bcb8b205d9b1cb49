"""Files with more parts than a photo has are refused before they are decoded; ordinary ones pass."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from deep3d.errors import PhotoUnreadable
from deep3d.photo import read_photo
from deep3d.photo.parts import check_parts


def encoded(kind, **options):
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind, **options)
    return content.getvalue()


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(kind, content=b""):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def jpeg_with(inserted):
    photo = encoded("JPEG")
    return photo[:2] + inserted + photo[2:]


def progressive_with(scans):
    photo = encoded("JPEG", progressive=True)
    last, end = photo.rfind(b"\xff\xda"), photo.rfind(b"\xff\xd9")
    return photo[:end] + photo[last:end] * scans + photo[end:]


def png_with(chunks):
    photo = encoded("PNG")
    return photo[:33] + chunk(b"abCd") * chunks + photo[33:]


def gif_with(inserted):
    photo = encoded("GIF")
    start = 13 + (3 << (photo[10] & 7) + 1)
    return photo[:start] + inserted + photo[start:]


def tiff(tags):
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)


def large_jpeg(scans):
    """The header of a JPEG of 64 megapixels with so many empty scans."""
    frame = segment(0xC2, struct.pack(">BHHB", 8, 8000, 8000, 1) + b"\x01\x11\x00")
    return b"\xff\xd8" + frame + segment(0xDA, b"\x01\x01\x00\x00\x00\x00") * scans + b"\xff\xd9"


HARMFUL = {
    "JPEG of many segments": jpeg_with(segment(0xFE, b"") * 2001),
    "JPEG of many Exif segments": jpeg_with(segment(0xE1, b"Exif\0\0") * 17),
    "JPEG of much between its segments": jpeg_with(bytes(70_000)),
    "JPEG of many scans": progressive_with(100),
    "large JPEG of some scans": large_jpeg(16),
    "PNG of many chunks": png_with(2000),
    "WebP of many chunks": encoded("WEBP") + struct.pack("<4sI", b"ABCD", 0) * 2000,
    "GIF of many comments": gif_with(b"!\xfe\x00" * 400_000),
    "GIF of a long comment": gif_with(b"!\xfe" + (b"\xff" + bytes(255)) * 5000 + b"\0"),
    "GIF of junk": gif_with(bytes(1_100_000)),
    "TIFF of many tags": tiff([(number, 3, 1, 0) for number in range(1001)]),
    "TIFF of many strips": tiff([(273, 4, 3_000_000, 8)]),
    "HEIC of many boxes": (struct.pack(">I", 16) + b"ftypheic" + bytes(4)) + (struct.pack(">I", 8) + b"free") * 1001,
    "HEIC of many properties": struct.pack(">I", 16) + b"ftypheic" + bytes(4) + struct.pack(">I", 1 << 23) + b"meta",
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_a_file_of_too_many_parts_is_refused_before_it_is_decoded(kind, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *arguments, **options: pytest.fail("opened"))
    with pytest.raises(PhotoUnreadable, match=r"anna: more .* than any photo has"):
        read_photo(HARMFUL[kind], "anna")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"comment": b"x" * 60_000, "exif": Image.Exif(), "icc_profile": bytes(3_000_000)}),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (64, 48))]}),
        ("PNG", {"compress_level": 0}),
        ("GIF", {"comment": b"x" * 10_000}),
        ("WEBP", {"exif": bytes(1000)}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"big_tiff": True}),
        ("AVIF", {}),
    ],
)
def test_ordinary_files_pass(kind, options):
    check_parts(encoded(kind, **options), "anna")


def test_a_large_photo_in_the_usual_scans_passes():
    check_parts(large_jpeg(14), "anna")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"])
def test_whatever_is_missing_is_left_to_the_decoder(kind):
    content = encoded(kind)
    for length in range(0, len(content), 7):
        check_parts(content[:length], "anna")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"])
def test_no_file_makes_the_walk_stumble_or_stand(kind):
    content, random = encoded(kind), np.random.default_rng(1)
    for _ in range(200):
        spoilt = bytearray(content)
        for place in random.integers(4, len(spoilt), 8):
            spoilt[place] = random.choice([0, 1, 0xFF, 0xDA])
        try:
            check_parts(bytes(spoilt), "anna")
        except PhotoUnreadable:
            continue
