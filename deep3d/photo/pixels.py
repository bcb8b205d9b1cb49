"""From a decoded image to a photo: upright pixels, three channels of 8 bits, sRGB, opaque."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from deep3d.photo.heif import turns_itself
from deep3d.photo.levels import grey, has_deep_colours, is_negative, join_planes, stretched, white_level

STRIP_PIXELS = 4_000_000  # converted at a time, so that no second copy of a large photo is ever made
TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange rows and columns

_ORIENTATION = 0x0112  # EXIF tag


def upright_pixels(image: Image.Image, content: bytes) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of an image opened from the file `content`: each strip is converted and put in its place."""
    deep = has_deep_colours(join_planes(image))
    image.load()
    profile, orientation = profile_transform(image), orientation_of(image, content)
    image = stretched(image, content) if deep else image
    white, negative = white_level(image), is_negative(image)
    width, height = image.size
    pixels, view = upright_view(image.size, orientation)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        strip = grey(strip, white, negative) if white else _flatten(strip, profile)
        if orientation in TURNED:
            view[:, top : top + rows] = np.asarray(strip.transpose(Image.Transpose.TRANSPOSE))
        else:
            view[top : top + rows] = np.asarray(strip)
    return pixels


def upright_view(size: tuple[int, int], orientation: int) -> tuple[np.ndarray, np.ndarray]:
    """An empty upright photo (H, W, 3) for a stored image of (width, height), and a view for writing that image.

    The view has the layout of the stored image, except for a possible exchange of rows and columns.
    """
    width, height = size
    pixels = np.empty((width, height, 3) if orientation in TURNED else (height, width, 3), np.uint8)
    view = pixels
    if orientation in (3, 4, 7, 8):
        view = view[::-1]
    if orientation in (2, 3, 6, 7):
        view = view[:, ::-1]
    return pixels, view


def orientation_of(image: Image.Image, content: bytes) -> int:
    """The EXIF orientation, 1 to 8, if it applies: most HEIC files have a property instead, and are decoded upright."""
    try:
        if image.format == "HEIF":  # whose reader always removes the EXIF orientation
            return 1 if turns_itself(content) else int(image.info.get("original_orientation") or 1)
        return image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF is no reason to refuse the photo
        return 1


def _flatten(image: Image.Image, profile: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """RGB, in sRGB if there is a profile, on white where transparent."""
    if not image.has_transparency_data:
        return profile.apply(image) if profile else image.convert("RGB")
    layer = image.convert("RGBA")
    alpha = layer.getchannel("A")
    color = layer.convert("RGB")
    if profile:
        color = profile.apply(color)
    return Image.composite(color, Image.new("RGB", image.size, "white"), alpha)


def profile_transform(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """The transform from the embedded colour profile to sRGB, None without a suitable profile or if it is sRGB."""
    data = image.info.get("icc_profile")
    mode = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "L": "L"}.get(image.mode)
    if not data or not mode:
        return None
    try:
        profile = ImageCms.getOpenProfile(io.BytesIO(data))
        if ImageCms.getProfileDescription(profile).startswith("sRGB"):
            return None
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):  # broken, or for other channels: ignored
        return None
