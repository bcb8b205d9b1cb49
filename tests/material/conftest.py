"""Faces of the open model in photos that are painted, not drawn: their albedo and light are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from deep3d.alignment import STANDARD_POINTS, align
from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import FaceCoefficients
from deep3d.detection.detector import Detection
from deep3d.face_model import FaceModel, default_face_model
from deep3d.material.observed import coded
from deep3d.material.skin_prior import usual_skin
from deep3d.material.statistical import LogAlbedo, relative
from deep3d.material.transfer import Transfer, compute_transfer
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction
from deep3d.texture import Atlas, Texture


@dataclass(frozen=True)
class PaintedFace:
    """A face whose texture is what a light makes of a known albedo."""

    face: Reconstruction
    albedo: np.ndarray  # (V, 3) linear
    colours: np.ndarray  # (V, 3) linear, as the photo has them
    shown: np.ndarray  # (V,) whether the photo shows the vertex


Paint = Callable[..., PaintedFace]


@pytest.fixture(scope="session")
def open_model() -> FaceModel:
    """The shipped face model."""
    return default_face_model()


@pytest.fixture(scope="session")
def head(open_model: FaceModel) -> Reconstruction:
    """The mean head before the camera, in a grey photo."""
    pixels = np.full((300, 300, 3), 128, np.uint8)
    points = np.array([150, 150]) + STANDARD_POINTS[:, :2] * [90, -90]
    return Reconstruction(
        photo=Photo(pixels, "anna.jpg", "1" * 64),
        detection=Detection(np.array([60.0, 40, 240, 260]), 0.99, points),
        crop=align(pixels, points),
        coefficients=FaceCoefficients.from_vector(np.zeros((1, 257), np.float32)),
        face_model=open_model,
        camera=DEEP3D_CAMERA,
        checkpoint_name="toy",
        checkpoint_sha256="2" * 64,
        timings_ms={},
    )


@pytest.fixture(scope="session")
def transfer(head: Reconstruction) -> Transfer:
    """That of the mean head."""
    return compute_transfer(head.vertices, head.normals, head.face_model.triangles)


@pytest.fixture(scope="session")
def paint(head: Reconstruction, transfer: Transfer) -> Paint:
    """A function that paints the mean head with skin of an L*, under a lamp and a plain sky.

    `spoil` changes the photo's linear colours (V, 3), `seen` says which vertices are shown.
    """
    model = head.face_model
    skin = model.skin[:, None]
    ratio = relative(model.derived(LogAlbedo.of).mean, np.clip(model.skin, 0, 1))

    def painted(
        lightness: float = 60,
        lamp: tuple[float, float, float] = (0.9, 0.4, 0.6),
        strength: float = 0.7,
        hue: tuple[float, float, float] = (1, 1, 1),
        spoil: Callable[[np.ndarray], np.ndarray] = lambda colours: colours,
        seen: np.ndarray | None = None,
    ) -> PaintedFace:
        albedo = np.exp(ratio * skin) * usual_skin(lightness)
        toward = np.array(lamp) / np.linalg.norm(lamp)
        number = int(np.argmax(transfer.directions @ toward))
        sky = transfer.lit.mean(axis=1, keepdims=True) * 4
        light = (strength * transfer.lit[:, number : number + 1] + (1 - strength) * sky) * np.array(hue)
        colours = spoil(albedo * light)
        shown = (head.normals[:, 2] > 0.35) if seen is None else seen
        atlas = Atlas.of(model, 256)
        image = atlas.paint(np.rint(coded(colours) * 255), model.triangles)
        weight = atlas.paint(np.repeat(shown[:, None] * 255.0, 3, axis=1), model.triangles)[..., 0].copy()
        face = replace(head)
        face.__dict__["unwrapped"] = Texture(image, weight)
        return PaintedFace(face, albedo, colours, shown & (model.skin > 0.9))

    return painted
