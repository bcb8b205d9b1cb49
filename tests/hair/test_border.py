"""Where hair ends on the head."""

import numpy as np
import pytest

from deep3d.hair.border import EAR, FADE, fading, hairy_ears, natural_border
from deep3d.hair.evidence import SIDEWAYS, TWIN, Evidence, shown_better_at_twin
from deep3d.hair.grid import COLUMNS, POINTS, ROWS, azimuths
from deep3d.hair.shell import heights

NOTHING_SEEN, ALL_SEEN = np.zeros(POINTS), np.ones(POINTS)
ROW = np.repeat(np.arange(ROWS), COLUMNS)
ROUND = np.tile(np.abs(azimuths()), ROWS)  # radians from straight ahead


def ending_at(row):
    """The edge of hair that ends level at a row of the grid."""
    return np.clip((row - ROW) * 0.1, -0.5, 0.5).astype(np.float32)


def test_short_hair_goes_round_ears(short):
    ears = short.hair.ears > EAR
    edge = natural_border(ending_at(31), short.hair.ears, ALL_SEEN)
    assert (ending_at(31)[ears] > 0).mean() > 0.2
    assert (edge[ears] < 0).all()
    assert (edge[ROW < 27] > 0).all()


def test_long_hair_covers_ears(short):
    edge = natural_border(ending_at(40), short.hair.ears, ALL_SEEN)
    fields = type(short.fields)(np.full(POINTS, 0.02, np.float32), edge, np.ones(POINTS, np.float32))
    ears = short.hair.ears > EAR
    assert (heights(fields, short.hair.ears)[ears] > short.hair.ears[ears]).all()


def test_hair_that_lies_over_ears_in_the_photo_stays(short):
    """Short curls over the upper half of the ears were cut out round them."""
    ears = short.hair.ears > EAR
    edge = natural_border(ending_at(31), short.hair.ears, NOTHING_SEEN, (True, True))
    assert (edge[ears] > 0).mean() > 0.2
    bare = natural_border(ending_at(31), short.hair.ears, NOTHING_SEEN, (False, True))
    half = np.tile(np.arange(COLUMNS) < COLUMNS // 2, ROWS)
    assert (bare[ears & half] < 0).all() and (bare[ears & ~half] > 0).mean() > 0.2


@pytest.mark.parametrize("yaw", [0.0, 35.0])
def test_a_mask_says_whether_hair_lies_over_ears(make_head, short, yaw):
    head = make_head(np.zeros(1), yaw)
    for hair in (0, 1):
        mask = type(head.mask)(**{**vars(head.mask), "hair": np.full_like(head.mask.hair, hair)})
        assert hairy_ears(Evidence.of(mask, head.head()), short.hair.ears) == (bool(hair), bool(hair))


def test_a_hairline_has_no_square_notches(short):
    edge = ending_at(18.3).reshape(ROWS, COLUMNS)
    edge[17:, COLUMNS // 2] -= 0.15
    grid = natural_border(edge.ravel(), short.hair.ears, ALL_SEEN).reshape(ROWS, COLUMNS)
    assert edge[17, COLUMNS // 2] < 0 < grid[17, COLUMNS // 2]


@pytest.mark.parametrize(("toward", "rises"), [(NOTHING_SEEN, True), (ALL_SEEN, False)])
def test_sideburns_taper_where_a_photo_does_not_show_them(short, toward, rises):
    grid = natural_border(ending_at(31.5), short.hair.ears, toward).reshape(ROWS, COLUMNS)
    lowest = np.where(grid > 0, np.arange(ROWS)[:, None], 0).max(axis=0)
    before_ears = (np.abs(azimuths()) < 1.5) & (np.abs(azimuths()) > 1.1)
    assert (np.ptp(lowest[before_ears]) >= 2) == rises


def test_cropped_hair_fades_at_the_nape_and_long_hair_does_not():
    nape, forehead = (ROW == 30) & (ROUND > 3), (ROW == 12) & (ROUND < 0.1)
    inner, width = fading(ending_at(30.5), ALL_SEEN)
    assert (width[nape] > 2 * FADE).all() and (inner[nape] < ending_at(30.5)[nape]).all()
    assert np.allclose(width[forehead], FADE) and (inner[forehead] == ending_at(30.5)[forehead]).all()
    assert np.allclose(fading(ending_at(45), ALL_SEEN)[1], FADE)


def test_a_quiff_before_the_far_temple_is_no_hair_on_it(make_head):
    """Seen obliquely it hides the skin behind it; the nearer side says where the hairline is."""
    head = make_head(np.zeros(1), 40.0)
    far = (shown_better_at_twin(head.head()) > 0.99) & (head.head().toward > SIDEWAYS)
    places, _ = head.head().to_mask(head.head().skin[far])
    quiff = head.mask.hair.copy()
    quiff[tuple(places.round().astype(int).T[::-1])] = 1
    mask = type(head.mask)(**{**vars(head.mask), "hair": quiff, "skin": head.mask.skin * (1 - quiff)})
    (_, edge), _ = Evidence.of(mask, head.head()).fields(np.zeros(POINTS))
    assert far.sum() > 10
    assert np.allclose(edge[far], edge[TWIN][far], atol=1e-3)
    assert shown_better_at_twin(make_head(np.zeros(1)).head()).max() == 0
