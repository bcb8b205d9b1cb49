# pyright: reportOptionalMemberAccess=false
"""What photos do to hair that are not portraits before a plain wall: a natural head, with nothing of the background."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from deep3d.camera import Pose
from deep3d.hair import Sight, make_hair
from deep3d.hair.evidence import Evidence
from deep3d.hair.fit import fit_fields
from deep3d.hair.grid import COLUMNS, POINTS
from deep3d.hair.mask import HairMask


def hair_of(head, **changes):
    mask = replace(head.mask, **{name: value for name, value in changes.items() if name != "photo"})
    return make_hair([Sight(changes.get("photo", head.photo), mask, head.vertices, head.matrix)], head.model)


def colours_of(made):
    return made.image[made.image[..., 3] > 128][:, :3].astype(float)


def opaque(made):
    """(T,) bool: the triangles of which the middle covers what is behind it."""
    columns, rows = (made.mesh.uv[made.mesh.uv_triangles].mean(axis=1) * [1, -1] + [0, 1]).T * len(made.image)
    return made.image[rows.astype(int), columns.astype(int), 3] > 128


def hair_depth(made, cover, yaw=0.0):
    """(H, W) depth of opaque hair in a picture, infinite beside it."""
    return cover(made.mesh.vertices, made.mesh.triangles[opaque(made)], Pose(yaw, 0, 0))


def face_is_free(head, made, cover):
    """Whether next to no hair lies before eyes, nose, mouth and cheeks."""
    middle = head.vertices[head.model.triangles].mean(axis=1)
    face = head.model.triangles[(np.abs(middle[:, 0]) < 0.5) & (abs(middle[:, 1]) < 0.4) & (middle[:, 2] > 0)]
    depth = cover(head.vertices, face, Pose(0, 0, 0))
    shown = np.isfinite(depth)
    return ((hair_depth(made, cover) < depth) & shown).sum() < 0.01 * shown.sum()


def outline(head, made, cover, yaw):
    """(H, W) bool of a picture: head and opaque hair."""
    bare = cover(head.vertices, head.model.triangles, Pose(yaw, 0, 0))
    return np.isfinite(np.minimum(bare, hair_depth(made, cover, yaw)))


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def of_the_wall(made):
    """Share of the opaque texels that are blue: the wall alone is."""
    colours = colours_of(made)
    return (colours[:, 2] > colours[:, 0] + 40).mean()


def in_photo(head, where):
    """(H, W) bool: the photo's pixels that a part (h, w) of the mask covers."""
    lines = [
        (np.arange(size) - start) / head.mask.step for size, start in zip(head.photo.shape[:2], head.mask.origin[::-1])
    ]
    rows, columns = (np.rint(line).astype(int).clip(0, size - 1) for line, size in zip(lines, where.shape))
    return where[np.ix_(rows, columns)] > 0.5


def height_over_skin(head, made):
    """(N,) decimetres from each vertex of opaque hair to the skin below it, at most."""
    used = np.unique(made.mesh.triangles[opaque(made)])
    return np.linalg.norm(made.mesh.vertices[used][:, None] - head.head().skin[None], axis=2).min(axis=1)


def test_black_hair_before_black_stays_black(short):
    photo = short.photo.copy()
    hair = np.abs(photo.astype(int) - (90, 60, 40)).max(axis=2) < 40
    photo[hair] = 8
    made = hair_of(short, photo=photo)
    assert np.median(colours_of(made)) < 20


@pytest.mark.parametrize("level", [0, 255])
def test_clear_ground_of_a_cut_out_never_gets_into_the_hair(short, level):
    photo = short.photo.copy()
    photo[photo[..., 2] > 180] = level
    made = hair_of(short, photo=photo)
    assert np.abs(np.median(colours_of(made), axis=0) - (90, 60, 40)).max() < 15


def test_a_veil_of_one_colour_gets_the_same_colour_all_round(short):
    photo = short.photo.copy()
    hair = np.abs(photo.astype(int) - (90, 60, 40)).max(axis=2) < 40
    photo[hair] = (200, 30, 60)
    made = hair_of(short, photo=photo)
    assert np.abs(np.median(colours_of(made), axis=0) - (200, 30, 60)).max() < 20


def test_hair_over_one_eye_covers_that_side_alone(short):
    hair = short.mask.hair.copy()
    rows, columns = np.nonzero(short.mask.skin > 0.5)
    middle = int(np.median(columns))
    hair[rows.min() : rows.min() + 20, middle : columns.max()] = 1
    mask = replace(short.mask, hair=hair, skin=short.mask.skin * (hair < 0.5))
    edge = fit_fields([Evidence.of(mask, short.head())], short.hair).edge.reshape(-1, COLUMNS)
    right, left = edge[16:26, COLUMNS // 2 + 2 : COLUMNS // 2 + 9], edge[16:26, COLUMNS // 2 - 8 : COLUMNS // 2 - 1]
    assert right.mean() > left.mean() + 0.1


def test_a_hand_in_the_hair_leaves_no_skin_in_it(short):
    hair, photo = short.mask.hair.copy(), short.photo.copy()
    rows, columns = np.nonzero(hair > 0.5)
    hand = slice(rows.min(), rows.min() + 14), slice(int(np.median(columns)), int(np.median(columns)) + 14)
    hair[hand] = 0
    x, y = (np.array([part.start, part.stop]) * short.mask.step for part in (hand[1], hand[0]))
    left, top = short.mask.origin
    photo[int(top + y[0]) : int(top + y[1]), int(left + x[0]) : int(left + x[1])] = (205, 160, 140)
    made = hair_of(short, hair=hair, photo=photo)
    light = (colours_of(made)[:, 0] > 160).mean()
    assert light < 0.03


def test_no_hair_is_farther_out_than_a_decimetre(varied):
    for head in varied:
        everywhere = replace(head.mask, hair=np.ones_like(head.mask.hair))
        assert fit_fields([Evidence.of(everywhere, head.head())], head.hair).thickness.max() <= 1.0
        assert len(fit_fields([Evidence.of(everywhere, head.head())], head.hair).edge) == POINTS


def test_a_helmet_is_one_all_round_and_leaves_the_face_free(short, cover):
    """White, with a strap below the chin; the network knows its crown and takes the rest for clothes and hair."""
    photo = short.photo.copy()
    photo[short.shown] = 235
    mask, rows = short.mask, np.arange(len(short.mask.hair))[:, None]
    chin = short.head().to_mask(np.array([[0, -1.1, 0.3]]))[0][0, 1]
    strap = (np.abs(rows - chin) < 4) * (mask.skin > 0.5)
    top = np.flatnonzero(mask.hair.any(axis=1))[0]
    hat = mask.hair * (rows < top + 40)
    made = hair_of(short, photo=photo, hair=mask.hair - hat, hat=hat, clothes=strap.astype(np.float32))
    assert (colours_of(made).mean(axis=1) > 200).mean() > 0.95
    assert face_is_free(short, made, cover)
    assert of_the_wall(made) == 0
    assert height_over_skin(short, made).max() < 1


def test_below_a_hood_only_the_fringe_is_hair(short, cover):
    """What the hood hides is unknown, and the hood's colour is none of hair."""
    mask, rows = short.mask, np.arange(len(short.mask.hair))[:, None]
    lowest = np.where(mask.hair > 0.5, rows, 0).max(axis=0)
    middle = np.abs(np.arange(mask.hair.shape[1]) - short.head().to_mask(np.zeros((1, 3)))[0][0, 0]) < 12
    fringe = mask.hair * (rows > lowest - 14) * middle
    hood = mask.hair - fringe
    photo, hidden = short.photo.copy(), in_photo(short, hood)
    photo[hidden] = (30, 160, 60)
    made = hair_of(short, photo=photo, hair=fringe, clothes=hood)
    greenish = colours_of(made)[:, 1] > colours_of(made)[:, 0] + 20
    assert greenish.mean() < 0.01 and of_the_wall(made) == 0
    assert face_is_free(short, made, cover)
    assert height_over_skin(short, made).max() < 0.5
    face = cover(short.vertices, short.model.triangles, Pose(0, 0, 0))
    worn, usual = (hair_depth(each, cover) < face for each in (made, hair_of(short)))
    assert overlap(worn, usual) > 0.5  # it was a wreath behind a bald forehead


def test_wet_hair_lies_flat_and_its_glare_stays_where_it_is(short):
    photo = np.where(short.shown[..., None], short.photo // 2, short.photo)
    first = np.flatnonzero(short.shown.any(axis=1))[0] + 6
    glare = short.shown & (np.indices(short.shown.shape)[0] // 2 == first // 2)
    photo[glare] = 250
    skull = short.head().to_mask(short.head().skin[: 20 * COLUMNS])[0]
    flat = short.mask.hair * (np.arange(len(short.mask.hair))[:, None] >= skull[:, 1].min())
    made = hair_of(short, photo=photo.astype(np.uint8), hair=flat)
    behind = made.image[: len(made.image) // 3]
    bright = behind[behind[..., 3] > 128][:, :3].mean(axis=1) > 150
    assert bright.mean() < 0.01
    assert np.percentile(height_over_skin(short, made), 90) < 0.3


def test_a_baby_has_a_bare_forehead_and_thin_hair(short, cover):
    """Its head is round and its forehead big; the network is surer of its fluff the higher that is."""
    grown = short.vertices * (1 + np.array([0.12, 0.1, 0.12]) * np.maximum(short.vertices[:, 1:2], 0))
    baby = replace(short, vertices=grown.astype(np.float32))
    top = np.flatnonzero(short.mask.hair.any(axis=1))[0]
    down = np.arange(len(short.mask.hair))[:, None] - top
    fluff = (short.mask.hair * np.clip(0.9 - down / 45, 0, 1)).astype(np.float32)
    made = hair_of(baby, hair=fluff, skin=np.maximum(short.mask.skin, short.mask.hair - fluff))
    assert face_is_free(baby, made, cover)
    assert of_the_wall(made) == 0
    assert np.percentile(height_over_skin(baby, made), 90) < 0.3


def test_the_hair_of_a_head_that_touches_is_not_ones_own(short, cover):
    """Its hair has the same colour and is joined to one's own, beside the ear."""
    hair, photo = short.mask.hair.copy(), short.photo.copy()
    rows, columns = np.nonzero(hair > 0.5)
    beside = slice(rows.min() + 5, rows.max() + 60), slice(columns.max() - 3, hair.shape[1])
    hair[beside] = 1
    photo[in_photo(short, hair - short.mask.hair)] = (90, 60, 40)
    skin = short.mask.skin * (hair < 0.5)
    alone, made = hair_of(short), hair_of(short, hair=hair, skin=skin, photo=photo)
    assert made.mesh.vertices[:, 0].max() < alone.mesh.vertices[:, 0].max() + 0.45
    assert face_is_free(short, made, cover)
    for yaw in (0.0, 90.0, 180.0):
        assert overlap(*(outline(short, each, cover, yaw) for each in (alone, made))) > 0.6


def test_white_hair_before_white_is_white_and_no_larger(short, cover):
    """The mask takes some of the wall for hair."""
    photo = np.where(short.shown[..., None], 238, np.where(short.photo[..., 2:] > 180, 250, short.photo))
    leaked = ndimage.grey_dilation(short.mask.hair, 9) * (short.mask.skin < 0.5)
    leaked = np.where(short.mask.hair > 0.5, 1, 0.6 * leaked)
    alone, made = hair_of(short), hair_of(short, photo=photo.astype(np.uint8), hair=leaked.astype(np.float32))
    assert np.median(colours_of(made)) > 225
    assert overlap(*(outline(short, each, cover, 90.0) for each in (alone, made))) > 0.8
    assert face_is_free(short, made, cover)


@pytest.mark.parametrize(("doubt", "bald"), [(0.4, True), (0.55, False)])
def test_stubble_on_a_shaved_head_is_no_hair_or_close_to_the_skin(short, cover, doubt, bald):
    """The network doubts it everywhere; where it believed next to none of it, there was black hair behind."""
    rng = np.random.default_rng(0)
    uneven = ndimage.gaussian_filter(rng.normal(0, 0.3, short.mask.hair.shape), 6)
    stubble = short.mask.hair * np.clip(doubt + uneven, 0, 1).astype(np.float32)
    photo = np.where(short.shown[..., None], (160, 125, 110), short.photo).astype(np.uint8)
    made = hair_of(short, photo=photo, hair=stubble, skin=np.maximum(short.mask.skin, short.mask.hair - stubble))
    assert (made is None) == bald
    if made is not None:
        assert np.percentile(height_over_skin(short, made), 90) < 0.25
        assert face_is_free(short, made, cover)
        assert of_the_wall(made) == 0
        assert np.abs(np.median(colours_of(made), axis=0) - (160, 125, 110)).max() < 20


def test_hair_that_two_edges_of_the_photo_cut_off_goes_on(short, cover):
    """Above and on one side: the style says how."""
    rows, columns = np.nonzero(short.shown)
    top, left = rows.min() + 8, columns.min() + 6
    cut = short.photo[top:, left:]
    mask = short.mask
    y, x = (np.arange(count) * mask.step + start for count, start in zip(mask.hair.shape, mask.origin[::-1]))
    inside = mask.inside & (y >= top)[:, None] & (x >= left)
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
    part = HairMask(
        mask.hair * inside,
        mask.skin * inside,
        inside,
        mask.hat,
        mask.clothes,
        mask.beard,
        mask.glasses,
        mask.origin - [left, top],
        mask.step,
    )
    made = make_hair([Sight(cut, part, short.vertices, shift @ short.matrix)], short.model)
    whole = hair_of(short)
    for yaw in (0.0, 90.0, 180.0):
        assert overlap(*(outline(short, each, cover, yaw) for each in (whole, made))) > 0.8
    assert np.abs(np.median(colours_of(made), axis=0) - (90, 60, 40)).max() < 15
    assert of_the_wall(made) == 0
