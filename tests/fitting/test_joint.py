"""Steps and covariances of several views of one person are those of all their equations at once."""

import numpy as np
import pytest

from deep3d.fitting.joint import joint_covariances, joint_steps
from deep3d.fitting.unknowns import Equations

VIEWS, UNKNOWNS = 3, 6
SHARED = np.array([1, 4, 5])
OWN = np.setdiff1d(np.arange(UNKNOWNS), SHARED)


@pytest.fixture(scope="module")
def equations():
    rng = np.random.default_rng(3)
    parts = [rng.normal(size=(9, UNKNOWNS)) for _ in range(VIEWS)]
    return [Equations(part.T @ part, rng.normal(size=UNKNOWNS)) for part in parts]


def places(number: int) -> np.ndarray:
    """Where a view's unknowns are among those of all: what is shared first, then each view's own."""
    place = np.empty(UNKNOWNS, int)
    place[SHARED] = np.arange(len(SHARED))
    place[OWN] = len(SHARED) + len(OWN) * number + np.arange(len(OWN))
    return place


@pytest.fixture(scope="module")
def everything(equations):
    total = len(SHARED) + VIEWS * len(OWN)
    first, *others = [each.at(places(number), total) for number, each in enumerate(equations)]
    return sum(others, first)


def test_steps(equations, everything):
    step = everything.solve()
    for number, each in enumerate(joint_steps(equations, SHARED)):
        np.testing.assert_allclose(each, step[places(number)])


def test_covariances(equations, everything):
    covariance = np.linalg.inv(everything.normal)
    wanted = np.array([0, 4, 1])
    for number, each in enumerate(joint_covariances(equations, SHARED, wanted)):
        rows = places(number)[wanted]
        np.testing.assert_allclose(each, covariance[np.ix_(rows, rows)])


def test_one_view_knows_its_own_and_more_views_know_more(equations):
    wanted = np.arange(UNKNOWNS)
    (alone,) = joint_covariances(equations[:1], SHARED, wanted)
    np.testing.assert_allclose(alone, np.linalg.inv(equations[0].normal))
    together = joint_covariances(equations, SHARED, wanted)[0]
    assert (np.diag(together) < np.diag(alone)).all()
