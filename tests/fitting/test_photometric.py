"""A face, its skin and its light are found again from a picture of it."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d.camera import DEEP3D_CAMERA, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting import (
    ColourPriors,
    LandmarkBasis,
    PhotoFit,
    SeenLandmarks,
    SurfaceBasis,
    View,
    colours,
    fit_landmarks,
    fit_person_colours,
    fit_photo_colours,
    fit_reflectance,
    photometric,
)
from deep3d.lighting import irradiance, shade
from deep3d.material.transfer import visibility
from deep3d.mesh import normalize
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.rendering.openness import sky_visibility
from deep3d.rendering.renderer import Renderer

ROWS = range(0, 9000, 30)


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


def test_colours_tell_more_of_a_face_than_its_landmarks(model, true, crop, landmarks, monkeypatch):
    # given
    monkeypatch.setattr(colours, "EVEN", 1e-3)
    regressed = replace(
        true,
        identity=np.zeros_like(true.identity),
        albedo=np.zeros_like(true.albedo),
        lighting=np.zeros_like(true.lighting),
    )
    start = fit_landmarks(landmarks.basis, landmarks.points[None], landmarks.deviation[None], regressed)
    # when the model can draw all that is in the picture
    sure = ColourPriors(trust=1.0)
    view = View(crop, landmarks, regressed, start.coefficients, start.cameras[0])
    fit = fit_photo_colours(view, model, colour_priors=sure)
    # then
    assert fit.kept
    assert fit.difference < 0.02
    assert colour_error(model, fit.coefficients, true) < 0.5 * colour_error(model, regressed, true)
    assert shape_error(model, fit.coefficients, true) < 0.85 * shape_error(model, start.coefficients, true)


def test_what_the_head_hides_from_the_light_is_not_taken_for_shape(model, true, landmarks, monkeypatch):
    # given a face in light from everywhere, darker where its own nose and brows stand in the way
    placed = place(model.shape(true), true.rotation, true.translation)
    openness = np.maximum(sky_visibility(model), colours.DARKEST)[:, None]
    lit = openness * shade(model.albedo(true.albedo), model.normals(placed), true.lighting)
    drawn = Renderer(CpuRasterizer()).render_colors(placed.astype(np.float32), model.triangles, np.float32(lit))
    crop = np.rint(255 * drawn.picture[0].clip(0, 1)).astype(np.uint8)
    regressed = replace(true, identity=np.zeros_like(true.identity))
    start = fit_landmarks(landmarks.basis, landmarks.points[None], landmarks.deviation[None], regressed)

    def fit() -> PhotoFit:
        sure = ColourPriors(trust=1.0)
        first = start.coefficients, start.cameras[0]
        return fit_photo_colours(View(crop, landmarks, regressed, *first), model, colour_priors=sure)

    # when
    known = fit()
    monkeypatch.setattr(colours, "OCCLUSION", 0.0)
    monkeypatch.setattr(colours, "OCCLUSION_SPREAD", 1e-3)
    ignored = fit()
    # then
    assert known.kept and ignored.kept
    assert known.difference < 0.8 * ignored.difference
    assert shape_error(model, known.coefficients, true) < 0.9 * shape_error(model, ignored.coefficients, true)


def test_cast_shadows_are_not_taken_for_shape(model, true, landmarks, monkeypatch):
    # given a lamp from the side, and the shadows that nose and brows throw
    placed = place(model.shape(true), true.rotation, true.translation)
    normals, toward = model.normals(placed)[0], normalize(np.array([0.8, 0.35, 0.5]))
    seen = visibility(placed[0], normals, model.triangles, toward[None].astype(np.float32))[:, 0]
    lit = (0.3 + 0.8 * np.maximum(normals @ toward, 0) * seen)[None, :, None] * model.albedo(true.albedo)
    drawn = Renderer(CpuRasterizer()).render_colors(placed.astype(np.float32), model.triangles, np.float32(lit))
    crop = np.rint(255 * drawn.picture[0].clip(0, 1)).astype(np.uint8)
    regressed = replace(true, identity=np.zeros_like(true.identity))
    start = fit_landmarks(landmarks.basis, landmarks.points[None], landmarks.deviation[None], regressed)
    monkeypatch.setattr(colours, "EVEN", 1e-3)

    def error() -> float:
        first = start.coefficients, start.cameras[0]
        view = View(crop, landmarks, regressed, *first)
        return shape_error(
            model, fit_photo_colours(view, model, colour_priors=ColourPriors(trust=1.0)).coefficients, true
        )

    # when
    known = error()
    monkeypatch.setattr(colours, "SHADOWED", 0.0)
    # then
    assert known < 0.95 * error()


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
    fit = fit_photo_colours(View(crop, landmarks, true, away, DEEP3D_CAMERA), model, displaced=True)
    assert not fit.kept and fit.failure == photometric.NO_SKIN and not fit.displacement.any()
    np.testing.assert_array_equal(fit.coefficients.to_vector(), away.to_vector())
    assert fit.camera is DEEP3D_CAMERA


@pytest.mark.parametrize("colour", [[20, 90, 160], [90, 90, 90]])
def test_a_covered_part_does_not_spoil_the_others(model, true, crop, landmarks, colour):
    covered = crop.copy()
    covered[:, 140:] = colour
    nobody = replace(true, identity=np.zeros_like(true.identity), albedo=np.zeros_like(true.albedo))
    start = fit_landmarks(landmarks.basis, landmarks.points[None], landmarks.deviation[None], nobody)
    fit = fit_photo_colours(View(covered, landmarks, nobody, start.coefficients, start.cameras[0]), model)
    assert shape_error(model, fit.coefficients, true) < 1.1 * shape_error(model, start.coefficients, true)


@pytest.mark.parametrize(
    ("light", "least", "most"),
    [([1.0, 1.0, 1.0], 1.0, 1.0), ([0.7, 0.9, 1.0], 1.0, 1.0), ([0.3, 0.6, 1.0], 0.03, 0.1), ([-0.2, 0.5, 1.0], 0, 0)],
)
def test_the_harder_the_light_the_less_colours_tell(light, least, most):
    points = np.repeat(light, 100)[:, None] * np.ones(3)
    assert least <= colours.trust_in(points) <= most


def test_a_fit_does_not_follow_the_colours_of_a_light_that_is_too_hard(model, true, crop, landmarks, monkeypatch):
    nobody = replace(true, albedo=np.zeros_like(true.albedo))
    view = View(crop, landmarks, nobody, nobody, DEEP3D_CAMERA)
    moved = []
    for even in (1e-3, 50.0):  # the same light, of which one is sure, and of which one is not
        monkeypatch.setattr(colours, "EVEN", even)
        moved.append(float(np.linalg.norm(fit_photo_colours(view, model).coefficients.albedo)))
    assert moved[1] < 0.1 * moved[0]


def test_landmarks_that_are_no_numbers_leave_the_start(model, true, crop, landmarks):
    lost = replace(landmarks, points=np.full_like(landmarks.points, np.nan))
    fit = fit_photo_colours(View(crop, lost, true, true, DEEP3D_CAMERA), model, displaced=False)
    assert not fit.kept and fit.failure == photometric.NO_NUMBERS
    np.testing.assert_array_equal(fit.coefficients.to_vector(), true.to_vector())


def test_colours_that_end_a_little_farther_are_no_failure(model, true, crop, landmarks):
    """A noisy picture of the right face, and sure landmarks that are two pixels beside it."""
    noise = np.random.default_rng(8).normal(0, 12, crop.shape)
    noisy = np.rint((crop + noise).clip(0, 255)).astype(np.uint8)
    points = project(place(model.shape(true), true.rotation, true.translation))[0, list(ROWS)] + [2, 0]
    beside = replace(landmarks, points=points, deviation=np.full_like(landmarks.deviation, 0.1))
    start = fit_photo_colours(View(noisy, landmarks, true, true, DEEP3D_CAMERA), model)
    fit = fit_photo_colours(View(noisy, beside, true, start.coefficients, start.camera), model)
    assert start.difference < fit.difference < 1.5 * start.difference
    assert fit.kept


def test_a_fit_that_colours_do_not_confirm_leaves_the_start(model, true, crop, landmarks):
    """The right face, and landmarks of a face that is beside it."""
    beside = replace(landmarks, points=landmarks.points + [40, 0], deviation=np.full_like(landmarks.deviation, 0.2))
    fit = fit_photo_colours(View(crop, beside, true, true, DEEP3D_CAMERA), model, displaced=True)
    assert fit.failure == photometric.MOVED_AWAY and not fit.displacement.any()
    np.testing.assert_array_equal(fit.coefficients.identity, true.identity)


@pytest.mark.parametrize("side", ["left", "below"])
def test_half_a_face_stays_a_face(model, true, crop, landmarks, side):
    """The photo ends in the middle of the face: what lies beyond is black, and nobody knows where its points are."""
    cut = crop.copy()
    cut[:, :112] *= side != "left"
    cut[112:] *= side != "below"
    missing = landmarks.points[:, 0] < 112 if side == "left" else landmarks.points[:, 1] > 112
    unsure = replace(landmarks, deviation=np.where(missing, 30.0, landmarks.deviation))
    nobody = replace(true, identity=np.zeros_like(true.identity), albedo=np.zeros_like(true.albedo))
    start = fit_landmarks(unsure.basis, unsure.points[None], unsure.deviation[None], nobody)
    basis = model.derived(SurfaceBasis.of, False).at(ROWS)
    view = View(cut, replace(unsure, basis=basis), nobody, start.coefficients, start.cameras[0])
    fit = fit_photo_colours(view, model, displaced=True)
    assert shape_error(model, fit.coefficients, true) < 1.1 * shape_error(model, start.coefficients, true)
    assert np.linalg.norm(fit.displacement, axis=1).max() < 0.05 and fit.folds == 0


@pytest.mark.parametrize("focal_length", [1.0, 1e5, np.nan])
def test_a_camera_that_does_not_fit_gives_a_face_or_the_start(model, true, crop, landmarks, focal_length):
    camera = replace(DEEP3D_CAMERA, focal_length_px=focal_length)
    fit = fit_photo_colours(View(crop, landmarks, true, true, camera), model, displaced=False)
    if fit.kept:
        assert shape_error(model, fit.coefficients, true) < 0.1
    else:
        assert fit.failure and fit.camera is camera
        np.testing.assert_array_equal(fit.coefficients.to_vector(), true.to_vector())


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
    view = View(strange, landmarks, true, true, DEEP3D_CAMERA)
    fit = fit_photo_colours(view, model, colour_priors=ColourPriors(trust=1.0))
    away = np.array([[[0.0, 0.0, -1.0], [0.6, 0.0, -0.8], [-0.6, 0.0, -0.8], [0.0, 0.6, -0.8]]])
    believed, found = (irradiance(away, face.lighting) for face in (true, fit.coefficients))
    assert np.abs(found - believed).mean() < 0.13
    towards = irradiance(-away, fit.coefficients.lighting)
    assert np.abs(towards - irradiance(-away, true.lighting)).max() > 0.3


def views_of(model, true, yaws) -> list[View]:
    """One person turned by each yaw, with landmarks by a trembling hand, and the mean face to begin with."""
    basis = LandmarkBasis.of_vertices(model, ROWS)
    rng = np.random.default_rng(9)
    views = []
    for yaw in yaws:
        face = replace(true, rotation=np.radians([[3, yaw, 2]]).astype(np.float32))
        placed = place(model.shape(face), face.rotation, face.translation)
        lit = shade(model.albedo(face.albedo), model.normals(placed), face.lighting).astype(np.float32)
        drawn = Renderer(CpuRasterizer()).render_colors(placed.astype(np.float32), model.triangles, lit).picture[0]
        points = project(placed)[0, list(ROWS)]
        seen = SeenLandmarks(basis, points + rng.normal(0, 2.0, points.shape), np.full(len(points), 2.0))
        nobody = replace(face, identity=np.zeros_like(face.identity), albedo=np.zeros_like(face.albedo))
        views.append(View(np.rint(255 * drawn.clip(0, 1)).astype(np.uint8), seen, nobody, nobody, DEEP3D_CAMERA))
    return views


def test_views_of_one_person_share_what_is_theirs_and_tell_more_together(model, true):
    views = views_of(model, true, [-35, 0, 35])
    together = fit_person_colours(views, model)
    alone = [fit_photo_colours(view, model) for view in views]
    assert all(fit.kept for fit in together)
    for fit in together[1:]:
        np.testing.assert_allclose(fit.coefficients.identity, together[0].coefficients.identity, atol=1e-4)
        np.testing.assert_allclose(fit.coefficients.albedo, together[0].coefficients.albedo, atol=1e-4)
    own = [shape_error(model, fit.coefficients, true) for fit in alone]
    assert shape_error(model, together[0].coefficients, true) < 0.9 * np.mean(own)


def test_a_view_that_shows_nothing_takes_part_in_what_is_shared(model, true):
    views = views_of(model, true, [-20, 20])
    away = replace(views[1].start, translation=np.array([[9, 0, 0]], np.float32))
    seen, unseen = fit_person_colours([views[0], replace(views[1], start=away)], model)
    assert seen.kept and not unseen.kept
    assert np.abs(seen.coefficients.identity).max() > 0.1
    np.testing.assert_allclose(unseen.coefficients.identity, seen.coefficients.identity, atol=1e-4)


def test_views_of_two_people_contradict_each_other_and_stay_faces(model, true):
    other = replace(true, identity=-true.identity, albedo=-true.albedo)
    views = [views_of(model, person, [yaw])[0] for person, yaw in ((true, -20), (other, 20))]
    fits = fit_person_colours(views, model)
    for fit in fits:
        assert np.isfinite(fit.coefficients.to_vector()).all()
        assert np.abs(fit.coefficients.identity).max() < 4
    between = fits[0].coefficients
    own = shape_error(model, true, other)
    assert shape_error(model, between, true) < own and shape_error(model, between, other) < own


def test_a_view_that_is_lost_leaves_the_others_their_own_fit(model, true):
    views = views_of(model, true, [-20, 20])
    lost = replace(views[1].landmarks, points=np.full_like(views[1].landmarks.points, np.nan))
    fits = fit_person_colours([views[0], replace(views[1], landmarks=lost)], model)
    alone = fit_photo_colours(views[0], model)
    assert all(np.isfinite(fit.coefficients.to_vector()).all() for fit in fits)
    assert fits[0].kept and not fits[1].kept
    np.testing.assert_allclose(fits[0].coefficients.identity, alone.coefficients.identity, atol=1e-3)


def test_a_displaced_face_is_the_sum_of_both_parts(model, true, crop, landmarks):
    basis = model.derived(SurfaceBasis.of, False).at(ROWS)
    view = View(crop, replace(landmarks, basis=basis), true, true, DEEP3D_CAMERA)
    fit = fit_photo_colours(view, model, displaced=True)
    assert fit.displacement.shape == model.mean_shape.shape and fit.displacement.any() and fit.folds == 0
    linear = fit_photo_colours(view, model)
    assert not linear.displacement.any()
