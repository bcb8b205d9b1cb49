"""Textures of whole drawn heads whose true colours are known, where photos used to be misread."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from deep3d import Reconstructor
from deep3d.camera import Camera, Pose, clip_space, depth, place, project
from deep3d.face_model import FaceModel
from deep3d.photo import Photo
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.texture import extract_texture
from deep3d.texture.hair import Hair
from deep3d.texture.hair import scalp as scalp_of_model
from deep3d.texture.skin_colour import front_of_face
from deep3d.texture.skin_colour import neck as neck_of

PHOTO, ATLAS = 480, 256
CAMERA = Camera(focal_length_px=1120.0, column=239.5, row=239.5, distance=10.0)
ABOVE_EYES, ABOVE_BROWS = 0.45, 0.55  # decimetres in model space
LIGHT_FROM_ABOVE = (0.35, 0.6, 0.72)


def scalp_of(model: FaceModel) -> np.ndarray:
    return (model.skin < 0.1) & (model.mean_shape[:, 1] > ABOVE_EYES)


def bald(model: FaceModel) -> np.ndarray:
    """Vertex colours (V, 3) in [0, 1] of a head without hair."""
    skin = model.mean_albedo[model.skin > 0.9].mean(axis=0)
    return np.where(scalp_of(model)[:, None], skin, model.mean_albedo)


def haired(model: FaceModel, level: float) -> np.ndarray:
    """The same with hair of a grey level."""
    return np.where(scalp_of(model)[:, None], level / 255, model.mean_albedo)


def foliage() -> np.ndarray:
    """(480, 480, 3) green, light and dark in smooth blots."""
    rng = np.random.default_rng(3)
    picture = np.full((PHOTO, PHOTO, 3), [105.0, 115.0, 80.0])
    for size in (16, 48):
        blots = rng.integers(0, 255, (PHOTO // size + 2, PHOTO // size + 2)).astype(np.uint8)
        layer = np.asarray(Image.fromarray(blots).resize((PHOTO, PHOTO), Image.Resampling.BICUBIC), np.float64)
        picture += 0.6 * (layer[..., None] - 127) * [0.30, 0.33, 0.22]
    return picture


def photograph(
    model: FaceModel,
    colours: np.ndarray,
    behind: np.ndarray,
    yaw: float = 4.0,
    light: tuple[float, float, float] = LIGHT_FROM_ABOVE,
    dark: float = 0.45,
    shape: np.ndarray | None = None,
) -> np.ndarray:
    """Photo (480, 480, 3) of the mean head, or of another `shape` (V, 3), before a picture `behind` it."""
    _, pixels, depths, shade = seen(model, model.mean_shape if shape is None else shape, yaw, light, dark)
    rasterizer = CpuRasterizer()
    clip = clip_space(pixels[None], depths[None], (PHOTO, PHOTO)).astype(np.float32)
    fragments = rasterizer.rasterize(clip, model.triangles, (PHOTO, PHOTO))
    lit = np.clip(colours * shade[:, None] * 255 * 1.15, 0, 255).astype(np.float32)
    shown = rasterizer.interpolate(lit[None], fragments, model.triangles)[0]
    return np.where((fragments.triangle[0] >= 0)[..., None], shown, behind).clip(0, 255).astype(np.uint8)


def seen(model, shape, yaw, light, dark):
    """Placed vertices, photo pixels, depths and shading of a head."""
    turn = Pose(yaw=yaw, pitch=0.0, roll=0.0).to_rotation()[None].astype(np.float32)
    placed = place(shape[None].astype(np.float32), turn, np.zeros((1, 3), np.float32))
    toward = np.array(light) / np.linalg.norm(light)
    shade = dark + 0.6 * np.clip(model.normals(placed)[0] @ toward, 0, 1)
    return placed[0], project(placed, CAMERA)[0], depth(placed, CAMERA)[0], shade


def unwrapped(
    model: FaceModel,
    photo: np.ndarray,
    yaw: float = 4.0,
    light: tuple[float, float, float] = LIGHT_FROM_ABOVE,
    dark: float = 0.45,
    top: int = 0,
    masks: np.ndarray | None = None,
) -> np.ndarray:
    """Colours (V, 3) at the vertices of the texture that the mean head takes from a photo without its `top` rows.

    `masks` (PHOTO, PHOTO, 3) say where the photo shows hair, the head and glasses.
    """
    placed, pixels, depths, shade = seen(model, model.mean_shape, yaw, light, dark)
    lit = np.clip(model.mean_albedo * shade[:, None], 0, 1)
    x, y = pixels.round().astype(int).clip(0, PHOTO - 1).T
    at = None if masks is None else masks[y, x].astype(np.float32)
    texture = extract_texture(photo[top:], placed, pixels - [0, top], depths, model, lit, ATLAS, at).image
    uv = np.empty((len(placed), 2))
    uv[model.triangles] = model.uv[model.uv_triangles]
    column, row = np.clip(uv * [ATLAS, -ATLAS] + [0, ATLAS], 0, ATLAS - 1).astype(int).T
    return texture[row, column].astype(np.float64)


@pytest.mark.parametrize("height", [0.7, 0.5])
def test_foliage_above_a_flat_crown_is_not_painted_on_it(model, height):
    shape = model.mean_shape.copy()
    above = shape[:, 1] > ABOVE_BROWS
    shape[above, 1] = ABOVE_BROWS + height * (shape[above, 1] - ABOVE_BROWS)
    photo = photograph(model, bald(model), foliage(), shape=shape)
    scalp = unwrapped(model, photo)[scalp_of(model)]
    assert (scalp[:, 0] > scalp[:, 1] + 10).mean() > 0.97  # skin is redder than green, leaves are not


@pytest.mark.parametrize(
    ("yaw", "light", "dark"),
    [(4.0, LIGHT_FROM_ABOVE, 0.45), (75.0, (-0.9, 0.3, 0.6), 0.12)],
)
def test_a_bald_head_has_no_border_behind_the_ears(model, yaw, light, dark):
    photo = photograph(model, bald(model), foliage(), yaw, light, dark)
    brightness = np.log(unwrapped(model, photo, yaw, light, dark).mean(axis=1))
    one, other = np.concatenate([model.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]).T
    behind = (model.mean_shape[:, 2] < -0.8) & (model.derived(scalp_of_model) > 0)
    across = (np.abs(model.skin[one] - model.skin[other]) > 0.05) & behind[one] & behind[other]
    assert across.sum() > 100
    assert np.percentile(np.abs(brightness[one] - brightness[other])[across], 90) < 0.18


def test_black_hair_before_black_stays_black(model):
    ground = np.random.default_rng(0).normal(4, 1.5, (PHOTO, PHOTO, 1)).repeat(3, axis=2)
    scalp = unwrapped(model, photograph(model, haired(model, 14), ground, yaw=-16))[scalp_of(model)]
    assert np.percentile(scalp.max(axis=1), 95) < 40


@pytest.mark.parametrize(("yaw", "light"), [(40.0, (-0.9, 0.3, 0.6)), (75.0, (-0.5, 0.3, 0.6))])
def test_the_far_side_of_a_head_lit_from_the_near_one_goes_on_dark(model, yaw, light):
    photo = photograph(model, bald(model), foliage(), yaw, light, dark=0.12)
    brightness = unwrapped(model, photo, yaw, light, dark=0.12).mean(axis=1)
    face = model.mean_shape[:, 2] > 0.1
    skin = (model.skin > 0.9) & face & (model.mean_shape[:, 1] > -0.2)
    near, middle, far = (skin & side for side in _sides(model.mean_shape[:, 0]))
    assert np.median(brightness[far]) < 1.5 * np.median(brightness[middle])
    assert np.median(brightness[far]) < 0.65 * np.median(brightness[near])


def _sides(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x < -0.35, np.abs(x) < 0.15, x > 0.35


@pytest.mark.parametrize("tone", [(1.0, 1.0, 1.0), (1.0, 0.9, 0.75)])
def test_the_texture_of_a_photo_without_colours_has_none(model, tone):
    photo = photograph(model, model.mean_albedo, np.full((PHOTO, PHOTO, 3), 150.0))
    toned = (photo.mean(axis=2, keepdims=True) * tone).round().astype(np.uint8)
    texture = unwrapped(model, toned)
    hue = texture / texture.max(axis=1, keepdims=True).clip(1)
    bright = texture.max(axis=1) > 60
    assert np.abs(hue[bright] - tone).max() < (0.02 if tone == (1.0, 1.0, 1.0) else 0.1)


def test_hair_that_the_edge_of_the_photo_cuts_goes_on_in_its_colour(model):
    hair = np.array([0.75, 0.55, 0.3])
    fringe = (model.mean_shape[:, 1] > 0.75) & (model.mean_shape[:, 2] > 0.2)
    colours = np.where(scalp_of(model)[:, None], 0.4 * hair, np.where(fringe[:, None], hair, model.mean_albedo))
    photo = photograph(model, colours, np.full((PHOTO, PHOTO, 3), [60.0, 60.0, 200.0]))
    _, pixels, _, _ = seen(model, model.mean_shape, 4.0, LIGHT_FROM_ABOVE, 0.45)
    edge = int(np.quantile(pixels[fringe & (model.skin > 0.9), 1], 0.05))
    above = scalp_of(model) & (model.mean_shape[:, 1] > 1.0) & (model.mean_shape[:, 2] > 0.1)
    shown = unwrapped(model, photo, top=edge)
    assert np.abs(np.median(shown[above], axis=0) - np.median(shown[fringe], axis=0)).max() < 60


def test_sky_above_cropped_hair_is_not_its_colour_where_a_mask_tells_them_apart(model):
    shape = model.mean_shape.copy()
    above = shape[:, 1] > ABOVE_BROWS
    shape[above, 1] = ABOVE_BROWS + 0.6 * (shape[above, 1] - ABOVE_BROWS)
    sky, colours = np.full((PHOTO, PHOTO, 3), [215.0, 190.0, 200.0]), haired(model, 40)
    photo = photograph(model, colours, sky, shape=shape)
    head = (np.abs(photo - sky).max(axis=2) > 0) * 1.0
    masks = np.stack([head * (photo.max(axis=2) < 70), head, 0 * head], axis=-1)
    back = scalp_of(model) & (model.mean_shape[:, 2] < -0.6)
    assert np.median(unwrapped(model, photo, masks=masks)[back].max(axis=1)) < 60


def test_pale_glasses_do_not_bleach_the_neck_where_a_mask_knows_them(model):
    """White frames and reflections were taken for the colour of skin, and dark skin for what is none."""
    shape, skin = model.mean_shape, np.array([0.42, 0.22, 0.14])
    colours = np.where(model.skin[:, None] > 0.1, skin, haired(model, 30))
    band = (np.abs(shape[:, 1] - ABOVE_BROWS + 0.25) < 0.2) & (shape[:, 2] > 0.1) & (model.skin > 0.9)
    worn = photograph(model, np.where(band[:, None], 0.85, colours), np.full((PHOTO, PHOTO, 3), 90.0))
    glasses = (worn.min(axis=2) > 120) * 1.0
    masks = [np.stack([0 * glasses, np.ones_like(glasses), each], axis=-1) for each in (0 * glasses, glasses)]
    plain = photograph(model, colours, np.full((PHOTO, PHOTO, 3), 90.0))
    neck = model.derived(neck_of) > 0.9
    bare, bleached, known = (
        unwrapped(model, photo, masks=mask)[neck].mean(axis=0)
        for photo, mask in ((plain, masks[0]), (worn, masks[0]), (worn, masks[1]))
    )
    assert np.abs(known - bare).max() < 0.3 * np.abs(bleached - bare).max()


@pytest.mark.parametrize("level", [30, 245])
def test_a_nape_is_between_skin_and_hair_and_shaded(model, level):
    texture = unwrapped(model, photograph(model, haired(model, level), foliage()))
    mean = model.mean_shape
    ears = model.landmarks(mean[None])[0][[0, 16], 1].mean()
    behind = mean[:, 2] < -0.8
    low = behind & (model.skin < 0.1) & (mean[:, 1] < ears - 0.1)
    skin = np.median(texture[model.skin > 0.99], axis=0).mean()
    hair = np.median(texture[scalp_of(model) & (mean[:, 1] > 0.9)], axis=0).mean()
    nape = np.median(texture[low], axis=0).mean()
    assert 0.8 * min(hair, skin) < nape < 0.95 * max(hair, skin)
    assert abs(np.log(nape / skin)) < 0.75 * abs(np.log(hair / skin)) + 0.1


def test_a_hand_on_the_head_does_not_become_the_scalp(model):
    hand = (model.mean_shape[:, 1] > 0.95) & (model.mean_shape[:, 2] > -0.1) & (model.mean_shape[:, 0] > 0.3)
    skin = model.mean_albedo[model.skin > 0.9].mean(axis=0)
    colours = np.where((hand & scalp_of(model))[:, None], skin, haired(model, 40))
    texture = unwrapped(model, photograph(model, colours, np.full((PHOTO, PHOTO, 3), 200.0)))
    assert np.median(texture[hand & scalp_of(model)].max(axis=1)) < 80


def test_a_high_forehead_that_a_mask_knows_is_no_hand(model):
    """Skin above the usual hairline became dark patches."""
    shape = model.mean_shape
    high = scalp_of(model) & (shape[:, 2] > np.quantile(shape[scalp_of(model), 2], 0.9))
    skin = model.mean_albedo[model.skin > 0.9].mean(axis=0)
    photo = photograph(model, np.where(high[:, None], skin, haired(model, 40)), np.full((PHOTO, PHOTO, 3), 200.0))
    head = np.ones((PHOTO, PHOTO))
    masks = np.stack([head * (photo.max(axis=2) < 70), head, 0 * head], axis=-1)
    assert np.percentile(unwrapped(model, photo, masks=masks)[high].max(axis=1), 20) > 120


@pytest.mark.parametrize("blur", [0, 3])
@pytest.mark.parametrize("hair", [(0.45, 0.42, 0.4), (0.55, 0.5, 0.42)])
def test_brown_hair_goes_on_over_the_crown(model, hair, blur):
    """Brown hair differs from skin in little but that it is darker and in strands: `hair` is a share of the skin's."""
    strands = np.random.default_rng(0).uniform(0.8, 1.2, (len(model.mean_shape), 1))
    painted = np.where(scalp_of(model)[:, None], bald(model) * np.array(hair) * strands, model.mean_albedo)
    photo = photograph(model, painted, np.full((PHOTO, PHOTO, 3), [90.0, 110.0, 140.0]))
    photo = np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(blur)))
    texture = unwrapped(model, photo)
    depths = model.mean_shape[:, 2]
    front = scalp_of(model) & (depths > np.quantile(depths[scalp_of(model)], 0.9))
    back = scalp_of(model) & (depths < np.quantile(depths[scalp_of(model)], 0.5))
    assert np.abs(np.log(texture[back].mean(axis=0) / texture[front].mean(axis=0))).max() < 0.25


@pytest.mark.parametrize(("yaw", "light"), [(4.0, LIGHT_FROM_ABOVE), (40.0, (-0.9, 0.3, 0.6))])
def test_a_bald_head_stays_bald_in_hard_light(model, yaw, light):
    """Shadows are smooth: they are no hair, by whose colour the crown would go on."""
    photo = photograph(model, bald(model), np.full((PHOTO, PHOTO, 3), [90.0, 110.0, 140.0]), yaw, light, dark=0.2)
    texture = unwrapped(model, photo, yaw, light, dark=0.2)
    crown = texture[scalp_of(model) & (model.mean_shape[:, 2] < 0)].mean(axis=0)
    skin = np.percentile(texture[model.skin > 0.9], [25, 90], axis=0)
    assert (crown > skin[0]).all() and (crown < 1.1 * skin[1]).all()


@pytest.mark.parametrize("mask", [(0.35, 0.55, 0.8), (0.12, 0.12, 0.14), (0.9, 0.9, 0.92)])
def test_a_mask_does_not_stain_neck_and_ears(model, mask):
    bridge = model.landmarks(model.mean_shape[None])[0, 28, 1]
    worn = (model.mean_shape[:, 1] < bridge) & (model.mean_shape[:, 2] > 0.1)
    colours = np.where(worn[:, None], mask, bald(model))
    texture = unwrapped(model, photograph(model, colours, np.full((PHOTO, PHOTO, 3), [90.0, 110.0, 140.0])))
    back = (model.skin > 0.99) & (model.mean_shape[:, 2] < -0.5)
    forehead = (model.skin > 0.99) & (model.mean_shape[:, 1] > bridge + 0.3)
    ratio = np.median(texture[back], axis=0) / np.median(texture[forehead], axis=0)
    assert ratio.min() > 0.5 and ratio.max() < 1.3 * ratio.min()


def test_a_fringe_of_almost_the_skins_colour_gives_the_crown_its_colour(model):
    """Given dark temples, which differ more from skin, beside a fair fringe that the photo's edge cuts."""
    toward, up = model.mean_shape[:, 2], model.mean_shape[:, 1]
    fringe = (up > 0.6) & (toward > 0.2)
    gold, temples = bald(model).mean(axis=0) * [0.7, 0.72, 0.5], np.array([0.3, 0.22, 0.1])
    colours = np.where(fringe[:, None], gold, np.where(scalp_of(model)[:, None], temples, model.mean_albedo))
    photo = photograph(model, colours, np.full((PHOTO, PHOTO, 3), [60.0, 60.0, 200.0]))
    _, pixels, _, _ = seen(model, model.mean_shape, 4.0, LIGHT_FROM_ABOVE, 0.45)
    edge = int(np.quantile(pixels[fringe & (model.skin > 0.9), 1], 0.05))
    shown = unwrapped(model, photo, top=edge).mean(axis=1)
    above = scalp_of(model) & (up > 0.9) & (toward > 0.1)
    assert np.median(shown[above]) > 0.8 * np.median(shown[fringe & (model.skin > 0.9)])


def test_foliage_above_a_low_bald_crown_is_no_mesh_of_hair(model):
    shape = model.mean_shape.copy()
    above = shape[:, 1] > ABOVE_BROWS
    shape[above, 1] = ABOVE_BROWS + 0.5 * (shape[above, 1] - ABOVE_BROWS)
    photo = Photo(photograph(model, bald(model), foliage(), shape=shape), "drawn", "")
    face = Reconstructor.load(hair="shell").reconstruct([photo])[0][0]
    assert face.hair_mask is not None and face.hair is None


def test_a_shining_rim_is_no_border(model):
    """Cheeks ended in a light band, where they turn away from the camera and shine."""
    normals = model.normals(model.mean_shape[None])[0]
    front = normals[:, 2] / np.linalg.norm(normals, axis=1)
    rim = np.where((front > 0) & (model.skin > 0.5), np.exp(-(((front - 0.3) / 0.15) ** 2)), 0)[:, None]
    plain = bald(model)
    cheeks = (np.abs(model.mean_shape[:, 0]) > 0.5) & (model.derived(front_of_face) > 0.3) & (front < 0.5)
    shining, dull = (
        unwrapped(model, photograph(model, colours, foliage()))[cheeks].mean(axis=1)
        for colours in (np.minimum(plain * (1 + 0.5 * rim), 1), plain)
    )
    assert np.median(shining / dull) < 1.15


def test_a_mask_without_hair_is_of_a_bald_head(model):
    """A bald scalp in the shade is as dark as hair."""
    colours = 255 * bald(model) * np.where(model.mean_shape[:, 1] > ABOVE_BROWS, 0.25, 1)[:, None]
    weight = (model.mean_shape[:, 2] > -0.1).astype(np.float32)
    by_colours = Hair.seen(colours, weight, model)
    by_mask = Hair.seen(colours, weight, model, np.zeros_like(weight))
    assert by_colours.bald < 0.1 and by_colours.fringe.max() > 0.4
    assert by_mask.bald == 1 and by_mask.fringe.max() == 0
