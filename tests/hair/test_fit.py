from dataclasses import replace

# pyright: reportOptionalMemberAccess=false
import numpy as np

from deep3d.camera import Pose
from deep3d.hair import Sight, make_hair
from deep3d.hair.evidence import Evidence, surely_grown
from deep3d.hair.fit import _without_holes, fit_fields
from deep3d.hair.grid import COLUMNS, POINTS, ROWS, UPPER, azimuths
from deep3d.hair.lengths import hanging
from deep3d.hair.shell import FADE, shell_mesh


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def opaque(head, fields):
    """The shell without the border over which it becomes transparent."""
    return shell_mesh(replace(fields, edge=fields.edge - FADE), head.head(), head.hair.ears)


def fitted(head):
    return opaque(head, fit_fields([Evidence.of(head.mask, head.head())], head.hair))


def test_the_photo_shows_the_same_hair_on_the_result(varied, cover):
    for head, yaw in zip(varied, (0, 30)):
        mesh = fitted(head)
        face = cover(head.vertices, head.model.triangles, Pose(yaw, 0, 0))
        shown = cover(mesh.vertices, mesh.triangles, Pose(yaw, 0, 0)) < face
        true = opaque(head, head.fields)
        expected = cover(true.vertices, true.triangles, Pose(yaw, 0, 0)) < face
        outline = shown | np.isfinite(face), expected | np.isfinite(face)
        assert overlap(*outline) > 0.93
        assert overlap(shown, expected) > 0.7


def test_sides_and_back_come_near_what_was_not_seen(varied, cover):
    for head in varied:
        mesh, true = fitted(head), opaque(head, head.fields)
        for yaw in (90, 180):
            face = np.isfinite(cover(head.vertices, head.model.triangles, Pose(yaw, 0, 0)))
            outlines = [
                np.isfinite(cover(each.vertices, each.triangles, Pose(yaw, 0, 0))) | face for each in (mesh, true)
            ]
            assert overlap(*outlines) > 0.8


def test_a_photo_without_hair_gives_a_bald_head(short):
    bald = replace(short.mask, hair=np.zeros_like(short.mask.hair), skin=short.mask.skin + short.mask.hair)
    assert make_hair([Sight(short.photo, bald, short.vertices, short.matrix)], short.model) is None


def test_a_wreath_of_hair_is_hair(short):
    """A bald man with hair at his temples got a bald skull, since it was little beside his face."""
    rows = np.arange(len(short.mask.hair))[:, None]
    top = np.flatnonzero(short.mask.hair.any(axis=1))[0]
    low = np.flatnonzero(short.mask.hair.any(axis=1))[-1]
    wreath = short.mask.hair * (rows > top + 0.66 * (low - top))
    share = wreath.sum() / (short.mask.skin.sum() + (short.mask.hair - wreath).sum())
    assert 0.03 < share < 0.08
    mask = replace(short.mask, hair=wreath, skin=short.mask.skin + short.mask.hair - wreath)
    made = make_hair([Sight(short.photo, mask, short.vertices, short.matrix)], short.model)
    assert made is not None
    crown = made.mesh.vertices[:, 1].max()
    whole = make_hair([Sight(short.photo, short.mask, short.vertices, short.matrix)], short.model)
    assert crown <= whole.mesh.vertices[:, 1].max()


def test_shade_on_one_side_of_a_shaved_head_is_no_hair(short):
    columns = np.arange(short.mask.hair.shape[1])
    half = short.mask.hair * (columns > columns.size // 2)
    below = half.sum(axis=1)[::-1].cumsum()[::-1]
    shade = half * (below < 900)[:, None]
    assert shade.sum() / (short.mask.skin.sum() + short.mask.hair.sum()) > 0.03
    for hair, bald in ((shade, True), (np.maximum(shade, shade[:, ::-1]), False)):
        hair = hair * (short.mask.hair + short.mask.skin > 0)
        mask = replace(short.mask, hair=hair, skin=short.mask.skin + short.mask.hair - hair)
        assert (make_hair([Sight(short.photo, mask, short.vertices, short.matrix)], short.model) is None) == bald


def test_a_post_beside_one_cheek_is_no_lock_of_hair(short):
    """It is where long hair would hang; but short hair does not hang down to the jaw on one side."""
    row, column = (int(each) for each in short.head().to_mask(np.array([[-0.9, 0.2, -0.3]]))[0][0][::-1])
    post = short.mask.hair.copy()
    post[row : row + 70, column - 14 : column] = 1
    middle = short.head().to_mask(np.zeros((1, 3)))[0][0, 0]
    other = round(2 * middle - column)
    curtains = post.copy()
    curtains[row : row + 70, other : other + 14] = 1
    lowest = []
    for hair in (short.mask.hair, post, curtains):
        mask = replace(short.mask, hair=hair, skin=short.mask.skin * (1 - hair))
        made = make_hair([Sight(short.photo, mask, short.vertices, short.matrix)], short.model)
        lowest.append(made.mesh.vertices[:, 1].min())
    assert lowest[1] > lowest[0] - 0.15
    assert lowest[2] < lowest[0] - 0.3


def test_cropped_hair_above_the_ears_that_looks_like_skin_is_hair(short):
    """Buzz cuts had bare patches there, which nobody has who has hair on top."""
    rows, columns = np.indices(short.mask.hair.shape)
    hair = np.flatnonzero(short.mask.hair.any(axis=0))
    top = np.flatnonzero(short.mask.hair.any(axis=1))[0]
    sides = (columns < hair[0] + 14) | (columns > hair[-1] - 14)
    cropped = short.mask.hair * sides * (rows > top + 35)
    mask = replace(short.mask, hair=short.mask.hair - cropped, skin=np.maximum(short.mask.skin, cropped))
    fields = fit_fields([Evidence.of(mask, short.head())], short.hair)
    assert cropped.sum() > 100
    worn = (surely_grown() > 0.9) & (short.fields.edge > 0)
    assert (fields.edge[worn] > 0).mean() > 0.95


def test_specks_of_hair_beside_the_head_change_nothing_much(short, cover):
    hair = short.mask.hair.copy()
    hair[70:90, 130:145] = 1  # a flag beside the cheek
    plain, spoiled = fitted(short), fitted(replace(short, mask=replace(short.mask, hair=hair)))
    outlines = [np.isfinite(cover(each.vertices, each.triangles, Pose(0, 0, 0))) for each in (plain, spoiled)]
    assert overlap(*outlines) > 0.9


def test_hair_that_the_photo_cuts_off_goes_on(short, cover):
    cut = short.mask.inside.copy()
    first = np.flatnonzero(short.mask.hair.any(axis=1))[0]
    cut[: first + 12] = False
    mask = replace(short.mask, hair=short.mask.hair * cut, inside=cut)
    plain, less = fitted(short), fitted(replace(short, mask=mask))
    assert abs(less.vertices[:, 1].max() - plain.vertices[:, 1].max()) < 0.12


def test_the_crown_has_no_hole_where_it_meets_the_background(short, varied):
    for head in (short, *varied):
        lowered = replace(head.mask, origin=head.mask.origin + [0, 2 * head.mask.step])  # a crown lower than the mesh's
        fields = fit_fields([Evidence.of(lowered, replace(head, mask=lowered).head())], head.hair)
        assert fields.edge.reshape(-1, 72)[:10].min() > 0.03


def test_long_hair_does_not_hang_before_the_face(long_haired):
    """What a photo shows beside a cheek lies beside it: from the side, hair had hidden faces to the nose."""
    head = long_haired
    fields = fit_fields([Evidence.of(head.mask, head.head())], head.hair)
    outer = head.head().skin + fields.thickness[:, None] * head.head().directions
    low = (np.arange(len(outer)) >= 24 * COLUMNS) & (fields.edge > 0) & (fields.thickness > 0.02)
    assert low.any() and outer[low, 2].max() < head.vertices[:, 2].max() - 0.45


def test_the_outline_of_a_crown_is_no_end_of_its_hair(short):
    """Crowns got bald spots: where hair borders on the background it was taken to end."""
    edge = fit_fields([Evidence.of(short.mask, short.head())], short.hair).edge.reshape(ROWS, COLUMNS)
    assert edge[:12].min() > 0.45


def test_an_ear_makes_no_hole_in_hair_but_a_bald_crown_and_a_face_stay_bare():
    edge = np.full((ROWS, COLUMNS), 0.3, np.float32)
    edge[20:, 30:43] = -0.2  # the face, open below
    bare = edge.copy()
    bare[22:26, 14:18] = -0.1  # an ear
    bare[10:12, [0, COLUMNS - 1]] = -0.1  # a gap behind, where columns meet
    bald = bare.copy()
    bald[:5] = -0.3
    for given, crown in ((bare, 0.3), (bald, -0.3)):
        filled = _without_holes(given.ravel()).reshape(ROWS, COLUMNS)
        assert (filled[22:26, 14:18] > 0).all() and (filled[10:12, [0, COLUMNS - 1]] > 0).all()
        assert (filled[20:, 30:43] < 0).all() and np.allclose(filled[:5], crown)


def test_ears_that_hair_hides_are_no_gaps():
    """Long hair had a slit below each."""
    edge = np.full((ROWS, COLUMNS), 0.3, np.float32)
    edge[-2:] = -0.3
    ear = np.abs(azimuths() - 2.1) < 0.2
    edge[UPPER : UPPER + 3, ear] = -0.1
    hung = hanging(_without_holes(edge.reshape(POINTS))).reshape(ROWS, COLUMNS)
    assert (hung[UPPER : ROWS - 2, ear] > 0).all()
