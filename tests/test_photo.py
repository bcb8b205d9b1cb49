from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps

from deep3d.errors import PhotoError, PhotoMissing, PhotoTooLarge, PhotoTooSmall, PhotoUnreadable
from deep3d.photo import find_photos, read_photo
from deep3d.photo.jpeg import CUT_OFF


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """60 x 40, all corners different."""
    rows, columns = np.mgrid[:40, :60]
    return Image.fromarray(np.stack([columns * 4, rows * 6, 255 - columns * 2 - rows], axis=-1).astype(np.uint8))


def test_reads_a_file(tmp_path: Path, picture: Image.Image):
    path = tmp_path / "anna.png"
    path.write_bytes(encoded(picture, "PNG"))
    photo = read_photo(str(path))
    assert np.array_equal(photo.pixels, np.asarray(picture))
    assert photo.pixels.flags.c_contiguous
    assert photo.pixels.flags.writeable
    assert photo.name == "anna.png"
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_reads_bytes(picture: Image.Image):
    data = encoded(picture, "PNG")
    photo = read_photo(data, name="upload.png")
    assert np.array_equal(photo.pixels, np.asarray(picture))
    assert photo.name == "upload.png"
    assert photo.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(picture: Image.Image, kind: str, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture, kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert np.array_equal(read_photo(data).pixels, np.asarray(expected))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(60, 40), (57, 43)])
def test_jpeg_pixels_are_pillows_to_the_last_bit(picture, subsampling, progressive, size):
    noise = np.random.default_rng(3).normal(0, 20, (size[1], size[0], 3))
    noisy = np.clip(np.asarray(picture.resize(size)) + noise, 0, 255).astype(np.uint8)
    data = encoded(Image.fromarray(noisy), "JPEG", quality=80, subsampling=subsampling, progressive=progressive)
    assert np.array_equal(read_photo(data).pixels, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_read_and_turned_once(picture: Image.Image, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    large = picture.resize((240, 160))
    pillow_heif.from_pillow(large).save(stream, exif=exif.tobytes(), quality=95)
    pixels = read_photo(stream.getvalue()).pixels
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded(large, "PNG", exif=exif))))
    assert pixels.shape == np.asarray(expected).shape
    assert np.abs(pixels.astype(int) - np.asarray(expected)).mean() < 4


def heic(picture: Image.Image, turned_by_property: bool, exif_orientation: int) -> bytes:
    """A HEIC of 240 x 160 stored pixels; the writer turns by property, so the EXIF orientation is put in afterwards."""
    exif = Image.Exif()
    exif[0x0112] = 6 if turned_by_property else 1
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture.resize((240, 160))).save(stream, exif=exif.tobytes(), quality=95)
    entry = b"\x01\x12\0\x03\0\0\0\x01\0"  # orientation, one short
    data = stream.getvalue()
    assert data.count(entry) == 1
    place = data.index(entry) + len(entry)
    return data[:place] + bytes([exif_orientation]) + data[place + 1 :]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_heic_that_has_only_exif_is_turned(picture: Image.Image, orientation: int):
    pixels = read_photo(heic(picture, False, orientation)).pixels
    stored = read_photo(heic(picture, False, 1)).pixels
    turns = {3: 2, 6: -1, 8: 1}[orientation]
    assert np.array_equal(pixels, np.rot90(stored, turns))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_that_turns_itself_leaves_exif_alone(picture: Image.Image, orientation: int):
    pixels = read_photo(heic(picture, True, orientation)).pixels
    assert np.array_equal(pixels, read_photo(heic(picture, True, 1)).pixels)
    assert pixels.shape == (240, 160, 3)


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("CMYK", "TIFF"), ("P", "GIF")])
def test_other_modes_become_rgb(picture: Image.Image, mode: str, kind: str):
    image = picture.convert(mode)
    assert np.array_equal(read_photo(encoded(image, kind)).pixels, np.asarray(image.convert("RGB")))


def test_cmyk_jpeg_keeps_its_colours(picture: Image.Image):
    pixels = read_photo(encoded(picture.convert("CMYK"), "JPEG", quality=100)).pixels
    assert np.abs(pixels.astype(int) - np.asarray(picture)).mean() < 3


@pytest.mark.parametrize(
    ("levels", "kind"),
    [
        (np.arange(0, 65536, 16).astype(np.uint16), "PNG"),
        (np.arange(0, 65536, 16).astype(np.uint16), "TIFF"),
        (np.arange(0, 65536, 16).astype(np.int32), "TIFF"),
        (np.linspace(0, 1, 4096, dtype=np.float32), "TIFF"),
        (np.linspace(0, 4, 4096, dtype=np.float32), "TIFF"),
        (np.linspace(0, 255, 4096, dtype=np.float32), "TIFF"),
    ],
)
def test_deep_grey_is_scaled_to_bytes(levels: np.ndarray, kind: str):
    data = encoded(Image.fromarray(levels.reshape(64, 64)), kind)
    expected = np.linspace(0, 255, 4096).reshape(64, 64)
    pixels = read_photo(data).pixels
    assert np.abs(pixels - expected[..., None]).max() <= 1
    assert pixels.max() == 255


@pytest.mark.parametrize("bits", range(9, 16))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_few_bits_in_sixteen_are_stretched(bits: int, kind: str):
    levels = np.linspace(0, 2**bits - 1, 4096).astype(np.uint16).reshape(64, 64)
    pixels = read_photo(encoded(Image.fromarray(levels), kind)).pixels
    assert np.abs(pixels - np.linspace(0, 255, 4096).reshape(64, 64, 1)).max() <= 1


def deep_png(colours: np.ndarray) -> bytes:
    """A PNG of (H, W, 3 or 4) uint16, which Pillow cannot write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width, channels = colours.shape
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))
    rows = np.zeros((height, 1 + 2 * channels * width), np.uint8)
    rows[:, 1:] = colours.astype(">u2").view(np.uint8).reshape(height, -1)
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")


def deep_tiff(colours: np.ndarray, order: str, deflated: bool) -> bytes:
    """A TIFF of (H, W, 3) uint16 in one strip, which Pillow cannot write."""
    height, width, _ = colours.shape
    pixels = colours.astype(order + "u2").tobytes()
    pixels = zlib.compress(pixels) if deflated else pixels
    tags = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 8), (259, 3, 1, 8 if deflated else 1), (262, 3, 1, 2)),
        *((273, 4, 1, 14), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, len(pixels))),
    ]
    entries = [
        struct.pack(
            order + ("HHIHH" if kind == 3 and count == 1 else "HHII"),
            tag,
            kind,
            count,
            value,
            *([0] * (kind == 3 and count == 1)),
        )
        for tag, kind, count, value in tags
    ]
    name = b"II" if order == "<" else b"MM"
    start = name + struct.pack(order + "HI", 42, 14 + len(pixels)) + struct.pack(order + "HHH", 16, 16, 16)
    return start + pixels + struct.pack(order + "H", len(tags)) + b"".join(entries) + b"\0" * 4


@pytest.mark.parametrize("bits", range(9, 17))
@pytest.mark.parametrize("kind", ["PNG", "<raw", ">raw", "<deflated", ">deflated"])
def test_few_bits_of_sixteen_in_colours_are_stretched(picture: Image.Image, bits: int, kind: str):
    wanted = np.asarray(picture)
    colours = (wanted.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    data = deep_png(colours) if kind == "PNG" else deep_tiff(colours, kind[0], kind.endswith("deflated"))
    assert np.abs(read_photo(data).pixels.astype(int) - wanted).max() <= 1


def grey_tiff(levels: np.ndarray) -> bytes:
    """A TIFF of (H, W) uint32, which Pillow cannot write."""
    height, width = levels.shape
    tags = [(256, 4, width), (257, 4, height), (258, 3, 32), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, levels.nbytes), (339, 3, 1)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    start = b"II*\0" + struct.pack("<I", 8 + levels.nbytes)
    return start + levels.astype("<u4").tobytes() + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("bits", [12, 16, 24, 31, 32])
def test_grey_of_32_bits_is_read(bits: int):
    levels = np.linspace(0, 2**bits - 1, 4096).astype(np.uint32).reshape(64, 64)
    assert np.abs(read_photo(grey_tiff(levels)).pixels - np.linspace(0, 255, 4096).reshape(64, 64, 1)).max() <= 1


def test_a_tiff_that_is_not_read_says_how_to_save_it(picture: Image.Image):
    colours = deep_tiff(np.asarray(picture).astype(np.uint16), "<", deflated=False)
    of_64_bits = colours.replace(struct.pack("<HHH", 16, 16, 16), struct.pack("<HHH", 64, 64, 64), 1)
    with pytest.raises(PhotoUnreadable, match="this kind of TIFF is not read; save it with 8 or 16 bits"):
        read_photo(of_64_bits)


def test_opacity_of_sixteen_bits_keeps_its_own_levels(picture: Image.Image):
    colours = np.dstack([np.asarray(picture).astype(np.uint16) * 4, np.full((40, 60), 65535, np.uint16)])
    assert np.abs(read_photo(deep_png(colours)).pixels.astype(int) - np.asarray(picture)).max() <= 1


def test_float_with_holes_is_read():
    levels = np.full((40, 40), 0.5, np.float32)
    levels[3, 4] = np.nan
    pixels = read_photo(encoded(Image.fromarray(levels), "TIFF")).pixels
    assert pixels[3, 4].tolist() == [0, 0, 0]
    assert pixels[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode: str):
    image = Image.new(mode, (40, 40), (0,) * (len(mode) - 1) + (255,))
    image.paste((0,) * (len(mode) - 1) + (0,), (0, 0, 20, 40))
    pixels = read_photo(encoded(image, "PNG")).pixels
    assert (pixels[:, :20] == 255).all()
    assert (pixels[:, 20:] == 0).all()


def test_transparent_palette_lies_on_white(picture: Image.Image):
    image = picture.quantize(16)
    hidden = np.asarray(image) == 5
    assert hidden.any()
    pixels = read_photo(encoded(image, "PNG", transparency=5)).pixels
    assert (pixels[hidden] == 255).all()
    assert np.array_equal(pixels[~hidden], np.asarray(image.convert("RGB"))[~hidden])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_frame_of_an_animation(kind: str):
    red, blue = Image.new("RGB", (40, 40), "red"), Image.new("RGB", (40, 40), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(red, kind, save_all=True, append_images=[blue], **options)
    assert (read_photo(data).pixels == [255, 0, 0]).all()


def test_colour_profile_is_applied(picture: Image.Image):
    lab = ImageCms.createProfile("LAB")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = np.asarray(picture)
    # sRGB itself, a broken profile and one for other channels change nothing
    for data in (profile, b"broken", ImageCms.ImageCmsProfile(lab).tobytes()):
        assert np.array_equal(read_photo(encoded(picture, "PNG", icc_profile=data)).pixels, plain)
    # a profile that calls the red primary green turns the picture over
    swapped = bytearray(profile)
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    swapped = bytes(swapped).replace(b"s\0R\0G\0B", b"o\0t\0h\0e").replace(b"\0s\0R\0G\0B", b"\0o\0t\0h\0e")
    pixels = read_photo(encoded(picture, "PNG", icc_profile=swapped)).pixels
    assert np.abs(pixels.astype(int) - plain[..., [1, 0, 2]]).mean() < 8
    # telephones write JPEG with a profile of their own, and turned
    options: dict = {"icc_profile": swapped, "exif": Image.Exif()}
    options["exif"][0x0112] = 6
    photograph = encoded(picture, "JPEG", **options)
    same = encoded(Image.open(io.BytesIO(photograph)), "PNG", **options)
    assert np.array_equal(read_photo(photograph).pixels, read_photo(same).pixels)


def test_a_file_larger_than_any_photo_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "film.jpg"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # takes no room on the disk
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("was read"))
    with pytest.raises(PhotoTooLarge, match=r"film\.jpg: the file has 3\.2 GB, which is too large"):
        read_photo(path)


def test_size_is_checked_before_decoding():
    with pytest.raises(PhotoTooLarge, match=r"^big.png: 12000 x 12000 pixels .* 128 megapixels"):
        read_photo(png_header(12000, 12000), name="big.png")
    with pytest.raises(PhotoTooLarge, match=r"^bomb.png: more than 128 megapixels"):
        read_photo(png_header(100_000, 100_000), name="bomb.png")
    with pytest.raises(PhotoTooSmall, match=r"^tiny.png: 31 x 400 pixels"):
        read_photo(png_header(31, 400), name="tiny.png")
    with pytest.raises(PhotoUnreadable):  # 100 megapixels are no error, nor a warning; having none of them is
        read_photo(png_header(10_000, 10_000))


def test_pillow_limit_is_left_alone(picture: Image.Image):
    before = Image.MAX_IMAGE_PIXELS
    read_photo(encoded(picture, "PNG"))
    assert before == Image.MAX_IMAGE_PIXELS
    with pytest.raises(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(png_header(10_000, 10_000)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an image",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    ],
)
def test_other_files_fail_in_one_line(data: bytes):
    with pytest.raises(PhotoUnreadable, match=r"^x\.jpg: [^\n]+$"):
        read_photo(data, name="x.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_truncated_files_fail_in_one_line(kind: str):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(PhotoUnreadable, match=r"^cut: [^\n]+$"):
        read_photo(data[: len(data) // 2], name="cut")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_mark_is_whole_but_warned_of(picture: Image.Image, mode: str, progressive: bool):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(picture.convert(mode), "JPEG", progressive=progressive, exif=exif)
    for cut in (1, 2):
        photo = read_photo(data[:-cut])
        assert np.array_equal(photo.pixels, read_photo(data).pixels)
        assert photo.warnings == ((CUT_OFF,) if mode == "RGB" else photo.warnings) and read_photo(data).warnings == ()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_its_last_rows_is_read_as_far_as_it_goes(mode: str):
    noise = np.random.default_rng(0).integers(0, 256, (400, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise).convert(mode), "JPEG")
    whole, photo = read_photo(data), read_photo(data[: len(data) * 9 // 10])
    assert photo.warnings == (CUT_OFF,)
    assert np.array_equal(photo.pixels[:340], whole.pixels[:340])
    with pytest.raises(PhotoUnreadable, match=r"^cut: damaged or cut off \([34].% of the picture is missing\)"):
        read_photo(data[: len(data) * 6 // 10], name="cut")


def test_a_photo_turns_clockwise(picture: Image.Image):
    photo = read_photo(encoded(picture, "PNG"), "anna.png")
    for degrees, transpose in ((90, "ROTATE_270"), (180, "ROTATE_180"), (270, "ROTATE_90")):
        turned = photo.turned(degrees)
        assert np.array_equal(turned.pixels, np.asarray(picture.transpose(Image.Transpose[transpose])))
        assert turned.pixels.flags.c_contiguous and turned.turn == degrees
        assert (turned.name, turned.sha256) == (photo.name, photo.sha256)
    assert photo.turn == 0 and photo.turned(270).turned(180).turn == 90


@pytest.mark.parametrize(
    "address", ["https://example.org/a//b.jpg", "HTTP://example.org/anna.jpg", "s3://bucket/a.jpg", "smb://host/a.jpg"]
)
def test_a_web_address_is_named_as_one(address: str):
    written = address.replace("HTTP", "http") if address.startswith("http") else address
    for source in (address, Path(address)):
        with pytest.raises(PhotoMissing, match="a web address, not a file") as told:
            read_photo(source)
        assert str(told.value).startswith(written[:19])
    with pytest.raises(PhotoMissing, match="a web address"):
        find_photos([address])


def test_a_folder_of_folders_names_them(tmp_path: Path):
    for name in ("anna", "bert", "carl", "dora", "empty", ".hidden"):
        (tmp_path / name).mkdir()
        if name != "empty":
            (tmp_path / name / "1.jpg").touch()
    with pytest.raises(PhotoMissing, match=r"only in its subfolders \(anna, bert, carl, \.\.\.\); name these"):
        find_photos([tmp_path])


def test_folders_further_down_are_named_too(tmp_path: Path):
    for name in ("2025/may", "2026/june"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.jpg").touch()
    with pytest.raises(PhotoMissing) as told:
        find_photos([tmp_path])
    named = ", ".join(str(Path(name)) for name in ("2025/may", "2026/june"))
    assert f"only in its subfolders ({named}); name these: {tmp_path / '*' / '*'}" in str(told.value)


def test_the_address_of_a_file_is_told_as_a_path():
    with pytest.raises(PhotoMissing, match=r"^file:///tmp/anna\.jpg: an address, not a path; write /tmp/anna\.jpg$"):
        find_photos(["file:///tmp/anna.jpg"])


def planar_tiff(planes: list[np.ndarray], interpretation: int, order: str) -> bytes:
    """A TIFF of 16 bits, of one plane (H, W) after the other, big-endian for the order ">"."""
    height, width = planes[0].shape
    data = b"".join(plane.astype(f"{order}u2").tobytes() for plane in planes)
    count, start = len(planes), 8
    lists = start + len(data)
    tags = [
        *[(256, 4, 1, width), (257, 4, 1, height), (258, 3, count, 16 if count == 1 else lists), (259, 3, 1, 1)],
        *[(262, 3, 1, interpretation), (273, 4, count, start if count == 1 else lists + 2 * count), (277, 3, 1, count)],
        *[
            (278, 4, 1, height),
            (279, 4, count, len(data) if count == 1 else lists + 6 * count),
            (284, 3, 1, min(count, 2)),
        ],
    ]
    size = len(data) // count
    extra = struct.pack(
        f"{order}{count}H{count}I{count}I", *[16] * count, *[start + n * size for n in range(count)], *[size] * count
    )
    directory = struct.pack(f"{order}H", len(tags))
    for tag, kind, number, value in tags:
        short = kind == 3 and number == 1
        directory += struct.pack(f"{order}HHI", tag, kind, number) + struct.pack(
            f"{order}{'HH' if short else 'I'}", *([value, 0] if short else [value])
        )
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", lists + len(extra)) + data + extra + directory + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [10, 16])
def test_deep_colours_one_after_the_other_are_read(picture: Image.Image, order: str, bits: int):
    colours = np.asarray(picture)
    deep = colours.astype(np.uint32) * (2**bits - 1) // 255
    photo = read_photo(planar_tiff([*np.moveaxis(deep, 2, 0)], 2, order))
    assert np.abs(photo.pixels.astype(int) - colours).max() <= 1


@pytest.mark.parametrize("bits", [12, 16])
def test_grey_levels_that_begin_with_white_are_turned_round(picture: Image.Image, bits: int):
    grey = np.asarray(picture.convert("L"))
    deep = (255 - grey.astype(np.uint32)) * (2**bits - 1) // 255
    photo = read_photo(planar_tiff([deep], 0, "<"))
    assert np.abs(photo.pixels[..., 0].astype(int) - grey).max() <= 1


def test_paths_that_are_no_photo(tmp_path: Path):
    with pytest.raises(PhotoMissing, match=r"nobody\.jpg: no such file"):
        read_photo(tmp_path / "nobody.jpg")
    (tmp_path / "inside.jpg").touch()
    with pytest.raises(PhotoUnreadable, match="a folder"):
        read_photo(tmp_path)
    with pytest.raises(PhotoError, match=r"^[^\n]+$"):
        read_photo(tmp_path / ("x" * 5000))


def test_find_photos_expands_folders(tmp_path: Path):
    for name in ("b.JPG", "a.heic", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "inner.jpg").mkdir()
    (tmp_path / "inner.jpg" / "c.jpg").touch()
    alone = tmp_path / "elsewhere.xyz"
    assert find_photos([alone, tmp_path]) == [alone, tmp_path / "a.heic", tmp_path / "b.JPG"]


def test_folder_without_photos(tmp_path: Path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(PhotoMissing, match="no photos in this folder"):
        find_photos([tmp_path])
    with pytest.raises(PhotoMissing, match="no photos in this folder"):
        read_photo(tmp_path)


def test_a_path_with_nothing_in_it_does_not_stop_the_others(tmp_path: Path):
    empty, photo, nobody = tmp_path / "empty", tmp_path / "a.jpg", tmp_path / "nobody.jpg"
    empty.mkdir()
    photo.touch()
    long = tmp_path / ("x" * 5000)
    assert find_photos([empty, photo, nobody, long]) == [empty, photo, nobody, long]
    with pytest.raises(PhotoMissing, match=r"nobody\.jpg: no such file"):
        find_photos([nobody, empty])


def test_want_of_memory_is_not_called_damage(monkeypatch):
    def exhausted(image, content):
        raise MemoryError

    monkeypatch.setattr("deep3d.photo.reading.upright_pixels", exhausted)
    with pytest.raises(PhotoTooLarge, match=r"^x\.png: not enough memory for 40 x 50 pixels"):
        read_photo(encoded(Image.new("RGB", (40, 50)), "PNG"), name="x.png")
