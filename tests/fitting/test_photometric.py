"""A face, its skin and its light are found again from a picture of it."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import DEEP3D_CAMERA, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel, default_face_model
from deep3d.fitting import ColourPriors, LandmarkBasis, fit_landmarks, fit_reflectance, photometric
from deep3d.fitting.photometric import PhotoFit, SeenLandmarks, fit_photo_colours
from deep3d.lighting import irradiance, shade
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.openness import sky_visibility
from deep3d.rendering.renderer import Renderer

ROWS = range(0, 9000, 30)


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return default_face_model()


@pytest.fixture(scope="module")
def true() -> FaceCoefficients:
    """Somebody with light from the image left."""
    rng = np.random.default_rng(11)
    face = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    face.identity[:] = 0.8 * rng.normal(size=(1, 80))
    face.albedo[:] = 0.8 * rng.normal(size=(1, 80))
    face.rotation[:] = np.radians([[3, 15, 2]])
    face.lighting[:] = np.tile([-0.1, 0.05, 0.15, 0.2, 0, 0, 0, 0.05, 0], 3)
    return face


@pytest.fixture(scope="module")
def crop(model, true) -> np.ndarray:
    placed = place(model.shape(true), true.rotation, true.translation)
    colours = shade(model.albedo(true.albedo), model.normals(placed), true.lighting).astype(np.float32)
    picture = Renderer(CpuRasterizer()).render_colors(placed.astype(np.float32), model.triangles, colours).picture[0]
    return np.rint(255 * picture.clip(0, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def landmarks(model, true) -> SeenLandmarks:
    """Placed by somebody with a trembling hand."""
    basis = LandmarkBasis.of_vertices(model, ROWS)
    points = project(place(model.shape(true), true.rotation, true.translation))[0, list(ROWS)]
    noise = np.random.default_rng(4).normal(0, 2.0, points.shape)
    return SeenLandmarks(basis, points + noise, np.full(len(points), 2.0))


def test_colours_tell_more_of_a_face_than_its_landmarks(model, true, crop, landmarks):
    # given
    regressed = replace(
        true,
        identity=np.zeros_like(true.identity),
        albedo=np.zeros_like(true.albedo),
        lighting=np.zeros_like(true.lighting),
    )
    start = fit_landmarks(landmarks.basis, landmarks.points[None], landmarks.deviation[None], regressed)
    # when the model can draw all that is in the picture
    sure = ColourPriors(trust=1.0)
    fit = fit_photo_colours(crop, landmarks, model, regressed, start.coefficients, start.cameras[0], colour_priors=sure)
    # then
    assert fit.kept
    assert fit.difference < 0.02
    assert colour_error(model, fit.coefficients, true) < 0.5 * colour_error(model, regressed, true)
    assert shape_error(model, fit.coefficients, true) < 0.85 * shape_error(model, start.coefficients, true)


def test_what_the_head_hides_from_the_light_is_not_taken_for_shape(model, true, landmarks, monkeypatch):
    # given a face in light from everywhere, darker where its own nose and brows stand in the way
    placed = place(model.shape(true), true.rotation, true.translation)
    openness = np.maximum(sky_visibility(model), photometric.DARKEST)[:, None]
    colours = openness * shade(model.albedo(true.albedo), model.normals(placed), true.lighting)
    drawn = Renderer(CpuRasterizer()).render_colors(placed.astype(np.float32), model.triangles, np.float32(colours))
    crop = np.rint(255 * drawn.picture[0].clip(0, 1)).astype(np.uint8)
    regressed = replace(true, identity=np.zeros_like(true.identity))
    start = fit_landmarks(landmarks.basis, landmarks.points[None], landmarks.deviation[None], regressed)

    def fit() -> PhotoFit:
        sure = ColourPriors(trust=1.0)
        first = start.coefficients, start.cameras[0]
        return fit_photo_colours(crop, landmarks, model, regressed, *first, colour_priors=sure)

    # when
    known = fit()
    monkeypatch.setattr(photometric, "OCCLUSION", 0.0)
    monkeypatch.setattr(photometric, "OCCLUSION_SPREAD", 1e-3)
    ignored = fit()
    # then
    assert known.kept and ignored.kept
    assert known.difference < 0.8 * ignored.difference
    assert shape_error(model, known.coefficients, true) < 0.9 * shape_error(model, ignored.coefficients, true)


def test_skin_and_light_of_a_known_shape(model, true, crop):
    guessed = replace(true, albedo=np.zeros_like(true.albedo), lighting=np.zeros_like(true.lighting))
    both = FaceCoefficients.from_vector(np.concatenate([guessed.to_vector(), true.to_vector()]))
    found = fit_reflectance([crop, np.zeros_like(crop)], model, both, [DEEP3D_CAMERA] * 2, ColourPriors(trust=1.0))
    assert colour_error(model, found[0], true) < 0.4 * colour_error(model, guessed, true)
    assert np.abs(found[1].lighting - true.lighting).max() > 0.3  # in the dark
    np.testing.assert_array_equal(found.identity, both.identity)


def test_nothing_is_known_of_skin_outside_of_the_picture(model, true, crop):
    away = replace(true, translation=np.array([[9, 0, 0]], np.float32))
    found = fit_reflectance([crop], model, away, [DEEP3D_CAMERA])
    np.testing.assert_array_equal(found.to_vector(), away.to_vector())


def test_a_face_outside_of_the_picture_stays_as_it_is(model, true, crop, landmarks):
    away = replace(true, translation=np.array([[9, 0, 0]], np.float32))
    fit = fit_photo_colours(crop, landmarks, model, true, away, DEEP3D_CAMERA)
    assert not fit.kept
    assert fit.coefficients is away
    assert fit.camera is DEEP3D_CAMERA


def shape_error(model: FaceModel, face: FaceCoefficients, true: FaceCoefficients) -> float:
    skin = model.skin > 0.5
    offsets = (model.neutral_shape(face.identity) - model.neutral_shape(true.identity))[0, skin]
    return float(np.linalg.norm(offsets - offsets.mean(axis=0), axis=1).mean())


def colour_error(model: FaceModel, face: FaceCoefficients, true: FaceCoefficients) -> float:
    """Of the face under its light."""
    colours = [
        shade(model.albedo(each.albedo), model.normals(model.shape(each)), each.lighting)[0, model.skin > 0.5]
        for each in (face, true)
    ]
    return float(np.abs(colours[0] - colours[1]).mean())


def test_light_from_where_nothing_is_seen_stays_near_what_was_believed(model, true, crop, landmarks):
    """A picture tells so little of it that a colour of it would fall below zero, or rise above all others."""
    green = replace(true, lighting=true.lighting.copy())
    green.lighting[:, [2, 11]] -= 0.5  # less red and blue
    placed = place(model.shape(true), true.rotation, true.translation)
    colours = shade(model.albedo(true.albedo), model.normals(placed), green.lighting).astype(np.float32)
    picture = Renderer(CpuRasterizer()).render_colors(placed.astype(np.float32), model.triangles, colours).picture[0]
    strange = np.rint(255 * picture.clip(0, 1)).astype(np.uint8)
    fit = fit_photo_colours(strange, landmarks, model, true, true, DEEP3D_CAMERA, colour_priors=ColourPriors(trust=1.0))
    away = np.array([[[0.0, 0.0, -1.0], [0.6, 0.0, -0.8], [-0.6, 0.0, -0.8], [0.0, 0.6, -0.8]]])
    believed, found = (irradiance(away, face.lighting) for face in (true, fit.coefficients))
    assert np.abs(found - believed).mean() < 0.13
    towards = irradiance(-away, fit.coefficients.lighting)
    assert np.abs(towards - irradiance(-away, true.lighting)).max() > 0.3
