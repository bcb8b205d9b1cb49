"""The folder from which a killed command continues: it keeps all that tracking knows of people."""

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from deep3d.video.people import SURE, TrackedPerson
from deep3d.video.sightings import Sightings
from deep3d.video.work import Stretch, WorkFolder

RNG = np.random.default_rng(4)


def somebody(number: int, doubted: int, met_before: bool) -> TrackedPerson:
    looks = RNG.normal(size=160)
    person = TrackedPerson(number, looks, 7.0, RNG.normal(size=(5, 2)), RNG.normal(size=2), 1.5, True)
    if met_before:
        person.last = RNG.normal(size=160)
    person.doubted = [RNG.normal(size=160) for _ in range(doubted)]
    return person


@pytest.mark.parametrize("doubted", [0, 3, SURE - 1])
def test_people_are_kept_with_what_is_doubted_of_them(tmp_path, doubted):
    people = [somebody(1, doubted, met_before=True), somebody(2, 0, met_before=False)]
    work = WorkFolder(tmp_path / "out.mp4", {"kind": "3d"}, {})
    work.keep(0, Stretch((Fraction(1, 30),), Sightings.none(3)), people)
    known = work.stretch(0)
    assert known is not None
    for before, after in zip(people, known[1], strict=True):
        for each in fields(TrackedPerson):
            one, other = getattr(before, each.name), getattr(after, each.name)
            assert (one is None) == (other is None)
            assert one is None or np.array_equal(one, other)


def test_a_stretch_without_people_is_kept(tmp_path):
    work = WorkFolder(tmp_path / "out.mp4", {"kind": "3d"}, {})
    work.keep(0, Stretch((), Sightings.none(3)), [])
    known = work.stretch(0)
    assert known is not None and known[1] == []
