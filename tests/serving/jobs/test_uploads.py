"""Photos are read by processes of their own: hostile ones are refused in words, and hold up nobody else's."""

import io
from dataclasses import replace

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from deep3d.photo.jpeg import CUT_OFF
from serving.confined import Overrun
from serving.errors import Busy, Refused
from serving.jobs import uploads
from serving.jobs.uploads import LONGEST_SIDE, clean_photos
from serving.places import Places


def encoded(kind, size=(80, 60), **options):
    content = io.BytesIO()
    Image.new("RGB", size, "peru").save(content, kind, **options)
    return content.getvalue()


def clean(reader, settings, content):
    return clean_photos([("anna.jpg", io.BytesIO(content))], settings, reader)[0]


def pixels(photo):
    return np.asarray(Image.open(io.BytesIO(photo.jpeg)))


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_the_kinds_that_are_promised_are_taken(reader, settings, kind):
    photo = clean(reader, settings, encoded(kind))
    assert (photo.name, photo.width, photo.height) == ("anna.jpg", 80, 60)
    assert abs(pixels(photo).astype(int) - (205, 133, 63)).max() < 12


def test_heic_is_taken(reader, settings):
    content = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (80, 60), "peru")).save(content)
    assert clean(reader, settings, content.getvalue()).width == 80


@pytest.mark.parametrize("kind", ["JPEG2000", "BMP", "PPM", "EPS", "ICO", "TGA", "PCX"])
def test_other_kinds_are_refused_in_words(reader, settings, kind):
    with pytest.raises(Refused, match="please send a JPEG, PNG, HEIC or WebP file"):
        clean(reader, settings, encoded(kind))


@pytest.mark.parametrize(("kind", "size"), [("JPEG", (9000, 200)), ("JPEG", (200, 9000)), ("PNG", (5000, 100))])
def test_a_large_photo_is_kept_smaller(reader, settings, kind, size):
    photo = clean(reader, settings, encoded(kind, size))
    assert max(photo.width, photo.height) == LONGEST_SIDE
    assert photo.width / photo.height == pytest.approx(size[0] / size[1], rel=0.02)


def test_a_large_photo_is_turned_upright(reader, settings):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = clean(reader, settings, encoded("JPEG", (6000, 300), exif=exif))
    assert (photo.width, photo.height) == (205, 4096)


def test_metadata_is_not_kept(reader, settings, photo_bytes):
    assert b"taken at home" in photo_bytes
    photo = clean(reader, settings, photo_bytes)
    assert b"taken at home" not in photo.jpeg
    assert not Image.open(io.BytesIO(photo.jpeg)).getexif()


def test_what_the_library_says_of_a_file_is_kept(reader, settings):
    content = encoded("JPEG")
    assert clean(reader, settings, content).warnings == ()
    assert clean(reader, settings, content[:-2]).warnings == (CUT_OFF,)


def test_too_many_pixels_are_refused_before_they_are_decoded(reader, settings):
    with pytest.raises(Refused, match=r"more than 0\.004 megapixels") as refused:
        clean(reader, replace(settings, max_photo_megapixels=0.004), encoded("PNG"))
    assert refused.value.status == 413


def test_what_would_take_too_much_memory_is_refused_before_it_is_decoded(reader, settings):
    with pytest.raises(Refused, match="too much time or memory"):
        clean(reader, settings, encoded("WEBP", (8000, 8000)))


def test_a_reader_that_dies_refuses_the_one_photo(reader, settings, monkeypatch):
    def die(*arguments, **options):
        raise Overrun("ended")

    with monkeypatch.context() as context:
        context.setattr(reader.pool, "call", die)
        with pytest.raises(Refused, match=r"anna\.jpg: this file takes too much"):
            clean(reader, settings, encoded("PNG"))
    assert clean(reader, settings, encoded("PNG")).width == 80


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(5000)])
def test_what_is_no_photo_is_refused(reader, settings, content):
    with pytest.raises(Refused):
        clean(reader, settings, content)


def test_large_photos_are_read_one_at_a_time(reader, settings, monkeypatch):
    monkeypatch.setattr(uploads, "LARGE_MB", 0)
    with reader.large.take():
        monkeypatch.setattr(uploads, "LARGE_MB", 1000)
        assert clean(reader, settings, encoded("PNG")).width == 80


def test_whoever_sends_one_large_photo_too_many_is_told_to_come_again(reader, settings, monkeypatch):
    """As many at once once held all threads of the web process, however few waited for the decoders."""
    monkeypatch.setattr(uploads, "LARGE_MB", 0)
    monkeypatch.setattr(reader, "large", Places("photos", 1, waiting=0, patience=60))
    with reader.large.take(), pytest.raises(Busy):
        clean(reader, settings, encoded("PNG"))
    assert clean(reader, settings, encoded("PNG")).width == 80
