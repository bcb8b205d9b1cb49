"""Following faces: who is who through crossings, cuts and absences, and when the detector is asked."""

from dataclasses import replace

import numpy as np
import pytest

from deep3d import Photo
from deep3d.camera import Pose
from deep3d.errors import CheckpointMismatch
from deep3d.synthetic.clips import talking_clip
from deep3d.video.people import TrackedPerson, recognise, told_apart
from deep3d.video.sightings import Sightings, crop_geometry
from deep3d.video.tracking import FaceTracker

BATCH = 8


def follow(reconstructor, frames, times, batch=BATCH):
    tracker = FaceTracker(reconstructor)
    parts = []
    for start in range(0, len(frames), batch):
        photos = [Photo(pixels, "clip", "") for pixels in frames[start : start + batch]]
        part = tracker(photos, times[start : start + batch])
        parts.append(part.chosen(np.arange(len(part))))
        parts[-1].frame[:] += start
    return tracker, Sightings.joined(parts)


def truth_of(clip, numbers, seen, row):
    """Who it is that was seen: the person whose landmarks are nearest, and how far they are, pixels."""
    middle = seen.crop(row).to_photo(seen.points[row, :68])
    apart = [
        np.linalg.norm(clip.landmarks68(person, numbers[seen.frame[row]]) - middle, axis=1).mean()
        for person in range(len(clip.looks))
    ]
    return int(np.argmin(apart)), min(apart)


@pytest.fixture(scope="module")
def crossed(crossing, reconstructor):
    _, numbers, frames = crossing
    return follow(reconstructor, frames, [number / 30 for number in numbers])


@pytest.mark.parametrize("whole", [False, True], ids=["frame by frame", "over the whole video"])
def test_three_who_cross_leave_and_come_back_keep_their_numbers(whole, crossed, crossing):
    clip, numbers, _ = crossing
    seen = crossed[1].told_apart() if whole else crossed[1]
    assert sorted(np.unique(seen.person)) == [1, 2, 3]
    who = {}
    for row in range(len(seen)):
        person, apart = truth_of(clip, numbers, seen, row)
        assert apart < 12
        who.setdefault(int(seen.person[row]), set()).add(person)
    assert sorted(map(sorted, who.values())) == [[0], [1], [2]]


def test_nobody_is_twice_in_a_frame_and_those_in_the_open_are_always_seen(crossed, crossing):
    _, numbers, _ = crossing
    _, seen = crossed
    pairs = set(zip(seen.frame.tolist(), seen.person.tolist()))
    assert len(pairs) == len(seen)
    for frame in [*range(12), *range(72, 80)]:  # nobody hides anybody at the beginning and at the end
        assert (seen.frame == frame).sum() == 3, numbers[frame]


def test_those_who_left_are_not_seen_where_they_are_not(crossed):
    _, seen = crossed
    assert (seen.frame == 44).sum() <= 2  # the third is out of the picture


def test_after_a_cut_the_same_people_are_found_elsewhere(talking, reconstructor):
    _, frames = talking
    moved = [np.roll(pixels, 130, axis=1) for pixels in frames[:12]]
    cut = [*frames[:12], *moved]
    _, seen = follow(reconstructor, cut, [n / 10 for n in range(24)])
    assert set(seen.person) == {1}
    assert set(seen.frame) == set(range(24))


def views(model, seed, yaw, size, aside):
    """A person who talks, seen from another side, nearer or farther."""
    clip = talking_clip(model, 20, seed, (480, 270), turning=0.5)
    (does,) = clip.performances
    turned = does.rotation + np.asarray(Pose(yaw, 0, 0).to_rotation())
    seen = replace(does, rotation=turned, size=size * does.size, position=does.position + aside)
    return [replace(clip, performances=(seen,)).frame(number) for number in range(20)]


@pytest.mark.parametrize(("one", "other"), [(100, 101), (102, 103), (110, 111), (108, 109)])
@pytest.mark.parametrize("batch", [1, 8])
def test_somebody_else_after_a_cut_in_the_same_place_is_somebody_else(one, other, batch, reconstructor):
    # given two people in turns, without a frame in between
    model = reconstructor.face_model
    first, second = (views(model, seed, 0, 1.0, 0.0) for seed in (one, other))
    tracker, seen = follow(reconstructor, [*first, *second, *first], [n / 30 for n in range(60)], batch)
    # then each has one number, the first one again at the end; and frame by frame after a few frames
    whole = seen.told_apart()
    assert whole.person.tolist() == [1] * 20 + [2] * 20 + [1] * 20
    assert set(seen.person[30:40]) == {2} and set(seen.person[50:]) == {1}
    assert len(tracker.people) == 2


@pytest.mark.parametrize(
    ("seed", "view"),
    [(200, (28, 1.15, 0.05)), (201, (-28, 0.85, -0.06)), (203, (18, 0.8, 0.08)), (205, (-28, 0.85, -0.06))],
)
def test_after_a_cut_to_another_view_of_the_same_person_nobody_is_new(seed, view, reconstructor):
    model = reconstructor.face_model
    frames = views(model, seed, 0, 1.0, 0.0) + views(model, seed, *view)
    tracker, seen = follow(reconstructor, frames, [n / 30 for n in range(40)])
    assert set(seen.person) == {1} and len(tracker.people) == 1
    assert set(seen.told_apart().person) == {1}


def test_who_came_after_an_absence_is_told_apart_by_everything_seen():
    a, b = np.zeros(160), np.full(160, 3 / np.sqrt(160))
    looks = np.stack([*[a] * 10, *[b] * 12, *[a] * 9])
    frame = np.r_[:10, 15:27, 30:39]
    assert told_apart(frame, np.ones(31, int), looks).tolist() == [1] * 10 + [2] * 12 + [1] * 9
    # a few odd frames are nobody new, and who is in the picture is nobody else
    assert set(told_apart(np.arange(24), np.ones(24, int), np.stack([*[a] * 10, *[b] * 4, *[a] * 10]))) == {1}
    both = told_apart(np.repeat(np.arange(9), 2), np.tile([1, 2], 9), np.stack([a, a] * 9))
    assert both.tolist() == [1, 2] * 9


def test_one_frame_at_a_time_as_a_camera_gives_them(talking, reconstructor):
    clip, frames = talking
    _, seen = follow(reconstructor, frames[:10], [n / 10 for n in range(10)], batch=1)
    assert seen.frame.tolist() == [*range(10)] and set(seen.person) == {1}
    for row in range(10):
        assert truth_of(clip, range(0, 90, 3), seen, row)[1] < 4


def test_the_detector_looks_at_the_beginning_and_then_now_and_then(talking, reconstructor, monkeypatch):
    _, frames = talking
    looked = []
    detect = reconstructor.observer.detect
    monkeypatch.setattr(reconstructor.observer, "detect", lambda photo: looked.append(1) or detect(photo))
    follow(reconstructor, frames, [n / 10 for n in range(24)])
    assert len(looked) == 3  # at 0, 1 and 2 of 2.4 seconds


def test_without_faces_there_is_nothing(reconstructor):
    wall = np.full((120, 160, 3), 128, np.uint8)
    tracker, seen = follow(reconstructor, [wall] * 9, [n / 30 for n in range(9)])
    assert len(seen) == 0 and tracker.people == []


def test_a_network_that_does_not_say_how_sure_it_is_cannot_follow():
    class Plain:
        class checkpoint:  # noqa: N801
            dense_vertices = ()

            class info:  # noqa: N801
                name = "deep3d_bfm"

    with pytest.raises(CheckpointMismatch, match="deep3d_bfm: without dense landmarks"):
        FaceTracker(Plain())  # pyright: ignore[reportArgumentType]


def person(number, looks, x=0.0, time=0.0):
    five = np.array([[0.0, 0], [40, 0], [20, 20], [5, 40], [35, 40]]) + [x, 0]
    return TrackedPerson(number, np.full(160, looks), 8.0, five, np.zeros(2), time, False)


def test_people_are_recognised_by_their_looks_each_once():
    people = [person(1, 0.0), person(2, 1.0)]
    looks = np.array([np.full(160, 0.95), np.full(160, 0.05), np.full(160, 5.0)])
    five = np.stack([person(0, 0, x).five for x in (300, 600, 900)])
    assert recognise(people, looks, five, 9.0) == [people[1], people[0], None]
    twins = np.array([np.full(160, 0.05), np.full(160, 0.02)])
    assert recognise(people[:1], twins, five[:2], 9.0) == [None, people[0]]
    assert recognise([], looks, five, 9.0) == [None, None, None]


def test_where_somebody_was_moments_ago_looks_may_differ_more():
    known = person(1, 0.0, time=5.0)
    looks = np.full((1, 160), 2.8 / np.sqrt(160))
    here, elsewhere = known.five[None], known.five[None] + 500
    assert recognise([known], looks, here, 5.3) == [known]
    assert recognise([known], looks, elsewhere, 5.3) == [None]
    assert recognise([known], looks, here, 9.0) == [None]


def test_sightings_are_kept_on_disk_as_they_are(crossed, tmp_path):
    _, seen = crossed
    seen.save(tmp_path / "seen.npz")
    again = Sightings.load(tmp_path / "seen.npz")
    for name in vars(seen):
        np.testing.assert_array_equal(getattr(again, name), getattr(seen, name))
    crop = seen.crop(3)
    np.testing.assert_array_equal(crop_geometry(crop), seen.crops[3])
    assert [path.name for path in tmp_path.iterdir()] == ["seen.npz"]
