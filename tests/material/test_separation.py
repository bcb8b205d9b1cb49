import numpy as np
import pytest

from deep3d.camera import Pose
from deep3d.material import PRESETS, RelightableHead, environment, separate, separate_person
from deep3d.material import material as sentences
from deep3d.material.gloss import usual_gloss
from deep3d.material.light import gloss_transfer
from deep3d.material.observed import Observed
from deep3d.material.separation import separate_vertices, shinier
from deep3d.material.skin_prior import WHITE, resolve, usual_skin
from deep3d.texture.skin_colour import eyeballs


def relative_error(values, truth, rows):
    values, truth = values[rows] / values[rows].mean(), truth[rows] / truth[rows].mean()
    return float(np.sqrt(((values - truth) ** 2).mean()))


@pytest.mark.parametrize("lamp", [(0.9, 0.4, 0.6), (0.1, 1.0, 0.4)])
def test_shading_goes_and_albedo_stays(paint, lamp):
    painted = paint(lamp=lamp)
    separated = separate(painted.face, 256).separated
    photo = relative_error(painted.colours, painted.albedo, painted.shown)
    assert relative_error(separated.albedo, painted.albedo, painted.shown) < 0.55 * photo


def test_what_is_fine_in_frontal_light_is_skin_and_in_grazing_light_perhaps_relief(paint, head, transfer):
    model = head.face_model
    view = np.tile(np.array([0, 0, 1], np.float32), (len(head.vertices), 1))
    freckles = np.zeros(len(model.skin), np.float32)
    freckles[::20] = 0.25 * model.skin[::20]
    kept = []
    for lamp in ((0.0, 0.1, 1.0), (1.0, 0.1, 0.1)):
        painted = paint(lamp=lamp, strength=0.9)
        colours = (painted.colours * np.exp(-freckles[:, None])).astype(np.float32)
        shown = (head.normals[:, 2] > 0.35).astype(np.float32)
        seen = Observed(colours, shown, 0 * shown, 0.0, model.skin, view, False, model.skin, 1 + 0 * shown)
        separated = separate_vertices(seen, transfer, model)
        logs = np.log(separated.albedo / separated.statistical).mean(axis=1)
        lit = painted.shown & (head.normals[:, 2] > 0.8) & (painted.colours.mean(axis=1) > 0.05)
        kept.append((logs[lit & (freckles == 0)].mean() - logs[lit & (freckles > 0)].mean()) / 0.25)
    assert kept[0] > 0.55
    assert kept[1] < 0.8 * kept[0]


def test_eyes_in_the_dark_are_not_made_of_what_is_left_over(paint, head):
    """Light that the lamp does not explain would make them shine in any other light."""
    painted = paint(lamp=(0.1, 1.0, 0.3), strength=0.95, spoil=lambda colours: colours + np.float32(0.02))
    albedo = separate(painted.face, 256).separated.albedo.mean(axis=1)
    eyes = head.face_model.derived(eyeballs) & (head.normals[:, 2] > 0.35)
    dark = eyes & (painted.colours.mean(axis=1) < 0.05)
    assert dark.sum() > 30
    assert albedo[dark].mean() < 1.5 * painted.albedo.mean(axis=1)[dark].mean()


def test_a_dark_beard_is_no_shadow(paint, head, transfer):
    """It is as large and as grey as one: only what the network sees tells them apart."""
    model = head.face_model
    chin = np.linalg.norm(head.vertices - model.landmarks(model.mean_shape[None])[0][8], axis=1) < 0.45
    painted = paint(lamp=(0.2, 0.3, 1.0), strength=0.6)
    colours = np.where(chin[:, None], painted.colours * np.float32(0.3), painted.colours)
    shown = (head.normals[:, 2] > 0.35).astype(np.float32)
    view = np.tile(np.array([0, 0, 1], np.float32), (len(shown), 1))
    kept = []
    for hairy in (0 * shown, 0.8 * chin):
        bare = model.skin * (1 - hairy)
        seen = Observed(colours, shown, 0 * shown, 0.0, model.skin, view, False, bare, 1 + 0 * shown)
        albedo = separate_vertices(seen, transfer, model).albedo.mean(axis=1)
        skin = (shown > 0) & ~chin & (model.skin > 0.9)
        kept.append(np.log(albedo[skin].mean() / albedo[chin & (shown > 0)].mean()) / -np.log(0.3))
    assert kept[1] > 0.55
    assert kept[1] > 1.5 * kept[0]


def test_one_shining_cheek_is_glossier_than_the_other(head, transfer):
    """Both lie in one region of the gloss that is believed before a photo is seen."""
    model, usual = head.face_model, usual_gloss(head.face_model)
    view = np.tile(np.array([0, 0, 1], np.float32), (len(head.vertices), 1))
    number = int(np.argmax(transfer.directions @ np.array([0.0, 0.1, 1.0])))
    shine = np.repeat(gloss_transfer(transfer, view, usual)[:, number, None], 3, axis=1)
    light = np.repeat(transfer.lit[:, number, None], 3, axis=1) + np.float32(0.05)
    albedo = np.full_like(light, 0.06)
    factor = np.where(head.vertices[:, :1] > 0, 2.0, 0.5)
    shown = (head.normals[:, 2] > 0.35).astype(np.float32)
    seen = Observed(
        (albedo * light + factor * shine).astype(np.float32),
        shown,
        0 * shown,
        0.0,
        model.skin,
        view,
        False,
        model.skin,
        1 + 0 * shown,
    )
    told = shinier(seen, albedo, light, shine, usual, model).specular / usual.specular
    cheek = (shown > 0) & (np.abs(head.vertices[:, 0]) > 0.25) & (np.abs(head.vertices[:, 1]) < 0.3)
    right, left = (told[cheek & (side * head.vertices[:, 0] > 0)].mean() for side in (1, -1))
    assert right > 1.15
    assert left < 0.87


def test_light_from_one_side_is_found_on_that_side(paint):
    panorama = separate(paint(lamp=(1.0, 0.1, 0.3)).face, 256).panorama
    from deep3d.material.environments import sphere

    x = sphere(*panorama.shape[:2])[..., 0]
    assert panorama[x > 0.5].mean() > 2 * panorama[x < -0.5].mean()


@pytest.mark.parametrize("lightness", [34, 60, 72])
def test_skin_keeps_its_tone_within_what_is_told_of_it(paint, lightness):
    tone = separate(paint(lightness=lightness).face, 256).separated.tone
    assert abs(tone.lightness - lightness) < max(3 * tone.deviation, 8)


def test_the_tone_of_a_seen_colour_is_told_with_its_uncertainty():
    tone = resolve(usual_skin(62) * WHITE)
    assert abs(tone.lightness - 62) < 4
    assert 2 < tone.deviation < 10
    assert np.allclose(tone.skin * tone.white, usual_skin(62) * WHITE, rtol=1e-3)


def test_the_white_of_eyes_tells_dark_skin_in_bright_light_from_fair_skin_in_dim_light():
    seen = usual_skin(50) * 1.2
    bright = resolve(seen, sclera=np.array([0.46, 0.41, 0.38]) * 2.0)
    dim = resolve(seen, sclera=np.array([0.46, 0.41, 0.38]) * 0.6)
    assert bright.lightness < resolve(seen).lightness < dim.lightness


def test_burnt_skin_tells_of_the_lamp_that_burnt_it(paint, head):
    """The lit half is white, and all that is left to read lies in the shadow."""
    painted = paint(lamp=(1.0, 0.3, 0.35), strength=0.9, spoil=lambda colours: np.clip(colours * 6, 0, 1))
    burnt = painted.shown & (painted.colours.max(axis=1) > 0.97)
    assert 0.3 < burnt.sum() / painted.shown.sum() < 0.8
    separated = separate(painted.face, 256).separated
    right, left = (painted.shown & (side * head.vertices[:, 0] > 0.15) for side in (1, -1))
    light = separated.irradiance.mean(axis=1)
    assert light[right].mean() > 2 * light[left].mean()
    assert relative_error(separated.albedo, painted.albedo, painted.shown) < 0.2


def test_a_longer_exposure_makes_no_skin_darker(paint):
    """What burns out is lit brightest: the rest lies in the shadow, and tells nothing of how white paper looks."""
    lightness = []
    for exposure in (3.0, 6.0):
        painted = paint(lightness=70, lamp=(1, 0, 0), strength=0.9, spoil=lambda c, e=exposure: np.clip(c * e, 0, 1))
        lightness.append(separate(painted.face, 256).separated.tone.lightness)
    assert lightness[1] > lightness[0] - 2


def test_orange_skin_is_rarer_than_orange_light():
    for light in ([1.8, 1.1, 0.45], [0.5, 0.8, 1.5]):
        tone = resolve(usual_skin(60) * light)
        hue = np.log(tone.skin / tone.skin.mean()) - np.log(usual_skin(60) / usual_skin(60).mean())
        assert np.abs(hue).max() < 0.2


def test_a_slightly_warm_photo_is_that_of_warm_skin_as_well():
    plain, warm = resolve(usual_skin(60)), resolve(usual_skin(60) * [1.08, 1.0, 0.92])
    assert np.log(warm.skin[0] / warm.skin[2]) > np.log(plain.skin[0] / plain.skin[2]) + 0.03


def night(colours):
    return colours * 0.02


def overexposed(colours):
    return np.clip(colours * 6, 0, 1)


def black_and_white(colours):
    return np.repeat(colours.mean(axis=1, keepdims=True), 3, axis=1)


def noise(colours):
    return np.random.default_rng(0).random(colours.shape)


BAD = {
    "red light": {"hue": (1.5, 0.5, 0.3)},
    "blue light": {"hue": (0.4, 0.7, 1.6)},
    "night": {"spoil": night},
    "flash": {"lamp": (0, 0.05, 1), "strength": 1.0},
    "saturated": {"spoil": overexposed},
    "black and white": {"spoil": black_and_white},
    "nonsense": {"spoil": noise},
    "black": {"spoil": np.zeros_like},
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_photos_give_maps_that_are_neither_black_nor_broken(paint, kind):
    painted = paint(**BAD[kind])
    material = separate(painted.face, 256)
    albedo = material.separated.albedo
    assert np.isfinite(albedo).all()
    assert np.isfinite(material.panorama).all()
    assert albedo[painted.face.face_model.skin > 0.9].mean() > 0.02
    assert material.maps.base_color.mean() > 10


def test_a_half_face_is_completed_from_its_other_half(paint, head):
    half = (head.vertices[:, 0] > 0) & (head.normals[:, 2] > 0.3)
    painted = paint(seen=half)
    separated = separate(painted.face, 256).separated
    hidden = ~half & (head.face_model.skin > 0.9) & (head.normals[:, 2] > 0.5)
    assert relative_error(separated.albedo, painted.albedo, hidden) < 0.2


def test_sunglasses_do_not_darken_the_cheeks(paint, head):
    points = head.face_model.landmarks(head.vertices[None])[0]
    eyes = points[[36, 39, 42, 45]].mean(axis=0)
    covered = (np.abs(head.vertices[:, 1] - eyes[1]) < 0.18) & (np.abs(head.vertices[:, 0]) < 0.6)
    painted = paint(spoil=lambda colours: np.where(covered[:, None], 0.01, colours))
    clear = painted.shown & ~covered
    photo = relative_error(painted.colours, painted.albedo, clear)
    assert relative_error(separate(painted.face, 256).separated.albedo, painted.albedo, clear) < 0.6 * photo


def test_a_photo_that_shows_nothing_gives_the_statistics_and_says_so(paint, head):
    material = separate(paint(seen=np.zeros(len(head.vertices), bool)).face, 256)
    assert material.warnings == (sentences.UNSEEN,)
    assert material.maps.base_color.mean() > 30


def test_a_grey_photo_gives_grey_maps_and_says_so(paint):
    material = separate(paint(spoil=black_and_white).face, 256)
    assert sentences.GREY in material.warnings
    albedo = material.separated.albedo[material.separated.doubt < 2]
    assert np.ptp(albedo, axis=1).max() < 1e-3


def test_saturation_is_told(paint):
    warnings = separate(paint(spoil=overexposed).face, 256).warnings
    assert any("too bright or too dark" in warning for warning in warnings)


def test_coloured_light_is_told(paint):
    assert sentences.COLOURED in separate(paint(hue=(1.5, 0.5, 0.3)).face, 256).warnings


def test_photos_of_one_person_share_one_reflectance_with_a_light_each(paint):
    left, right = paint(lamp=(1, 0.2, 0.4)), paint(lamp=(-1, 0.2, 0.4))
    one, other = separate_person([left.face, right.face], 256)
    assert one.maps is other.maps
    assert one.panorama.argmax() != other.panorama.argmax()
    alone = [
        relative_error(separate(each.face, 256).separated.albedo, left.albedo, left.shown) for each in (left, right)
    ]
    assert relative_error(one.separated.albedo, left.albedo, left.shown) < 1.02 * np.mean(alone)


def test_under_another_light_the_far_side_is_no_longer_dark(paint, head):
    painted = paint(lamp=(1.0, 0.1, 0.2), strength=0.9)
    material = separate(painted.face, 256)
    relit = RelightableHead.of(painted.face, material).texture(environment("overcast"), Pose(0, 0, 0))
    from deep3d.material.observed import vertex_texels

    column, row = head.face_model.derived(vertex_texels, 256).T
    grey = relit[row, column].mean(axis=1)
    cheek = painted.shown & (np.abs(head.vertices[:, 1]) < 0.3) & (head.normals[:, 2] > 0.6)
    sides = [grey[cheek & (side * head.vertices[:, 0] > 0.2)].mean() for side in (-1, 1)]
    assert 0.8 < sides[0] / sides[1] < 1.25


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_panoramas(name):
    panorama = environment(name)
    assert panorama.shape == (32, 64, 3)
    assert (panorama > 0).all()
