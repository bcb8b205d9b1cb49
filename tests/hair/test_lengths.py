import numpy as np
import pytest

from deep3d.hair.grid import COLUMNS, LOWER, LOWEST, MIDDLE, POINTS, ROWS, UPPER, azimuths
from deep3d.hair.lengths import (
    NAPE_ENDS,
    as_long_behind,
    close_behind,
    cut_short,
    ending_at_the_nape,
    hanging,
    with_locks,
    without_gaps,
)

BEHIND, ASIDE, AHEAD = np.abs(azimuths()) > 2.4, np.abs(np.abs(azimuths()) - np.pi / 2) < 0.2, np.abs(azimuths()) < 1.6
STEP = (MIDDLE[1] - LOWEST) / (LOWER - 1)
HEIGHTS = np.repeat(np.interp(np.arange(ROWS), [0, UPPER, ROWS - 1], [1.4, MIDDLE[1], LOWEST]), COLUMNS)


@pytest.fixture
def long():
    """The edge of hair down to row 44, but for the face."""
    edge = np.clip(STEP * (44 - np.arange(ROWS)), -0.5, 0.5)[:, None] * np.ones(COLUMNS)
    edge[20:, np.abs(azimuths()) < 0.8] = -0.5
    return edge.reshape(POINTS).astype(np.float32)


def beside_the_face():
    """How well a frontal photo shows the grid."""
    return np.tile(np.abs(azimuths()) < 1.7, ROWS).astype(np.float32)


def test_hair_is_short_if_necks_are_bare_on_both_sides(long):
    seen = beside_the_face()
    bare = np.where(np.arange(POINTS) < 34 * COLUMNS, long, -0.5)
    one_side = np.where(np.tile(azimuths() > 0, ROWS), long, bare)
    assert [cut_short(edge, seen) for edge in (bare, one_side, long)] == [1, 0, 0]
    assert cut_short(bare, seen * (np.arange(POINTS) < 36 * COLUMNS)) == 0  # the photo ends above


def test_short_hair_ends_at_the_nape_however_long_its_style_is_behind(long):
    """A man whose neck is bare beside the ears had a mullet."""
    ended = ending_at_the_nape(long, 0 * long, HEIGHTS, 1.0).reshape(ROWS, COLUMNS)
    below = HEIGHTS.reshape(ROWS, COLUMNS)[:, 0] < NAPE_ENDS
    assert (ended[below][:, BEHIND] <= 0).all()
    np.testing.assert_array_equal(ended[:, AHEAD], long.reshape(ROWS, COLUMNS)[:, AHEAD])


def test_hair_is_no_bell_behind():
    """Styles are thickest at the nape, of short hair too."""
    grid = np.full((ROWS, COLUMNS), 0.2)
    grid[20:, BEHIND] = 0.45
    seen = np.zeros((ROWS, COLUMNS))
    seen[:UPPER, ASIDE] = 1
    short, longer = (
        close_behind(grid.reshape(POINTS), seen.reshape(POINTS), sure).reshape(ROWS, COLUMNS) for sure in (1.0, 0.0)
    )
    assert short[20, 0] < 0.3 and short[31, 0] < 0.6 * short[16, 0]
    assert 0.15 < longer[36, 0] < 0.3
    for each in (short, longer):
        np.testing.assert_allclose(each[:UPPER, ASIDE], 0.2, atol=0.01)


def test_long_hair_lies_on_the_shoulders():
    """It went through them behind the neck."""
    flat = np.full(POINTS, 0.05)
    seen = beside_the_face()
    lying = close_behind(flat, seen, 0.0).reshape(ROWS, COLUMNS)
    assert lying[44:, BEHIND].min() > 0.15 and lying[: UPPER + 4].max() < 0.06
    assert close_behind(flat, seen, 1.0).max() < 0.06


def test_the_hem_behind_has_locks_and_no_steps(long):
    edge = long.reshape(ROWS, COLUMNS).copy()
    edge[40:, np.abs(azimuths()) < 2.2] = -0.5  # shorter before the shoulders
    hem = with_locks(edge.reshape(POINTS), 0 * long).reshape(ROWS, COLUMNS)
    length = STEP * (hem > 0)[UPPER:].sum(axis=0)
    before = STEP * (edge > 0)[UPPER:].sum(axis=0)
    assert np.abs(np.diff(length[1 : COLUMNS // 4])).max() < 0.5 * np.abs(np.diff(before)).max()
    assert length[BEHIND].std() > 0.04 and hem[:UPPER].tolist() == edge[:UPPER].tolist()
    assert (hem[:, AHEAD] == edge[:, AHEAD]).all()
    shown = with_locks(edge.reshape(POINTS), np.ones(POINTS, np.float32))
    np.testing.assert_allclose(shown, edge.reshape(POINTS), atol=1e-6)


def test_long_hair_has_no_gap_behind_that_no_photo_shows():
    edge = np.full((ROWS, COLUMNS), 0.5, np.float32)
    edge[33:36], edge[42:] = -0.05, -0.3
    seen = np.zeros_like(edge)
    seen[:, 30:40] = 1  # as beside a face: skin between hair above and hair on the shoulders
    filled = without_gaps(edge.ravel(), seen.ravel()).reshape(ROWS, COLUMNS)
    assert (filled[:42, :30] == 0.5).all()
    assert (filled[42:] == edge[42:]).all() and (filled[:, 30:40] == edge[:, 30:40]).all()


def test_hair_before_one_shoulder_hangs_down_the_back_on_both_sides():
    edge = np.full((ROWS, COLUMNS), 0.3, np.float32)
    right = azimuths() > 0
    edge[UPPER + 4 :, right] = -0.3  # cut at the ear on one side
    behind, ahead = np.abs(azimuths()) > 2.4, np.abs(azimuths()) < 1.6
    unseen = as_long_behind(edge.reshape(POINTS), np.zeros(POINTS, np.float32)).reshape(ROWS, COLUMNS)
    assert (unseen[UPPER + 4 :, behind] > 0.25).all()
    np.testing.assert_array_equal(unseen[:, ahead], edge[:, ahead])
    shown = as_long_behind(edge.reshape(POINTS), np.ones(POINTS, np.float32))
    np.testing.assert_array_equal(shown, edge.reshape(POINTS))


def test_no_hair_hangs_from_nothing_behind_the_neck():
    edge = np.full((ROWS, COLUMNS), 0.3, np.float32)
    edge[UPPER + 4 : UPPER + 6] = -0.1
    hung = hanging(edge.reshape(POINTS)).reshape(ROWS, COLUMNS)
    behind, ahead = np.abs(azimuths()) > 2, np.abs(azimuths()) < 1.6
    assert (hung[UPPER + 6 :, behind] < 0).all()
    np.testing.assert_array_equal(hung[:, ahead], edge[:, ahead])
    np.testing.assert_array_equal(hung[: UPPER + 4], edge[: UPPER + 4])
