"""Read photos from anywhere safely: any kind Pillow decodes, upright, RGB, within bounded memory."""

from deep3d.photo.parts import check_parts
from deep3d.photo.paths import SUFFIXES, find_photos
from deep3d.photo.reading import LARGEST_FILE, LARGEST_PHOTO, SMALLEST_SIDE, Photo, read_photo

__all__ = [
    "LARGEST_FILE",
    "LARGEST_PHOTO",
    "SMALLEST_SIDE",
    "SUFFIXES",
    "Photo",
    "check_parts",
    "find_photos",
    "read_photo",
]
