"""What a photo shows of each vertex of a head, in linear light, and from where it was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from deep3d.camera import rotation_matrix
from deep3d.face_model import FaceModel
from deep3d.texture import Texture
from deep3d.texture.atlas import vertex_texels
from deep3d.texture.hair import scalp
from deep3d.texture.skin_colour import front_of_face
from deep3d.texture.view import smoothstep

REDUCED = 4  # texels across that one sample covers: about as far as vertices lie apart
BRIGHTEST, DARKEST = 250, 6  # codes beyond which a channel says little
HAIR_KEPT = 0.8  # of the difference between skin and the hair that grows on it
HAIR_KNOWN = 10.0  # vertices of the scalp with hair that are believed before any is seen
BALD = (0.5, 0.9)  # share of the scalp that is seen without hair, from where what is hidden may have none, and has none
GREY = 0.015  # median hue, as a logarithm, below which a photo is black and white


@dataclass(frozen=True, eq=False)
class Observed:
    """Of each of V vertices."""

    colours: np.ndarray  # (V, 3) float32 linear, as the photo has them
    weight: np.ndarray  # (V,) in [0, 1]: how surely the photo shows it, unclipped
    burnt: np.ndarray  # (V,) in [0, 1]: how surely the photo shows that it is at least as bright as its colours
    saturated: float  # share of the seen face that is too bright or too dark to tell
    skin: np.ndarray  # (V,) in [0, 1]: facial skin, where the light is read
    view: np.ndarray  # (V, 3) unit vectors to the camera, head space
    grey: bool  # the photo has no colours
    bare: np.ndarray  # (V,) in [0, 1]: skin without hair, of the face and of bald scalps
    free: np.ndarray  # (V,) in [0, 1]: how surely no glasses lie before it

    @classmethod
    def of(
        cls,
        texture: Texture,
        face_model: FaceModel,
        vertices: np.ndarray,
        rotation: np.ndarray,
        camera: np.ndarray,
        on_skin: np.ndarray | None = None,
    ) -> Observed:
        """From a photo unwrapped. `rotation` (3,) turns `vertices` (V, 3); `camera` (3,) is placed, decimetres.

        `on_skin` (V, 2) is how far the photo shows hair or a beard, and glasses; else hair is where it grows on the
        model, and nobody wears glasses.
        """
        place = face_model.derived(vertex_texels, len(texture.weight) // REDUCED)
        small = Image.fromarray(texture.image).reduce(REDUCED)
        codes = np.asarray(small, np.float32)[place[:, 1], place[:, 0]]
        shown = np.asarray(Image.fromarray(texture.weight).reduce(REDUCED), np.float32)[place[:, 1], place[:, 0]] / 255
        front = np.clip(face_model.derived(front_of_face), 0, 1)
        bright = np.clip((BRIGHTEST - codes.max(axis=1)) / 10, 0, 1)
        clear = bright * np.clip((codes.max(axis=1) - DARKEST) / 10, 0, 1)
        face = shown * front
        saturated = 1 - float((face * clear).sum() / max(face.sum(), 1e-6))
        colours = linear(codes / 255)
        turn = rotation_matrix(rotation[None])[0]
        view = camera @ turn - vertices
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        view = view.astype(np.float32)
        bare, free = face_model.skin, np.ones_like(shown)
        if on_skin is not None:
            bare, free = _bare(on_skin[:, 0], shown, face_model), 1 - face_model.skin * on_skin[:, 1]
        grey = _is_grey(codes, face)
        return cls(colours, shown * clear, shown * (1 - bright), saturated, front, view, grey, bare, free)


def _bare(hairy: np.ndarray, shown: np.ndarray, model: FaceModel) -> np.ndarray:
    """Skin without hair (V,): beards go on at the other side, and scalps are bald behind if they are before."""
    top, other = model.derived(scalp), model.mirror
    known = shown * top
    bald = smoothstep(float(known @ (1 - hairy)) / (float(known.sum()) + HAIR_KNOWN), *BALD)
    beard = shown * hairy + (1 - shown) * shown[other] * hairy[other]
    on_top = shown * (1 - hairy) + (1 - shown) * bald
    return (model.skin * (1 - HAIR_KEPT * beard) + top * on_top).astype(np.float32)


def linear(coded: np.ndarray) -> np.ndarray:
    """Linear light of sRGB-coded values in [0, 1]."""
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def coded(light: np.ndarray) -> np.ndarray:
    """sRGB coding of linear light, clipped to [0, 1]."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def _is_grey(codes: np.ndarray, weight: np.ndarray) -> bool:
    """Whether the seen part is black and white."""
    rows = np.flatnonzero(weight > 0.5)
    if len(rows) < 50:
        return False
    logs = np.log(codes[rows] + 8)
    hue = logs[:, [0, 2]] - logs[:, 1:2]
    return bool(np.median(np.abs(hue)) < GREY)
