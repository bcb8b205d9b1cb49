"""Who fits in with the others, how much each counts, and what they share."""

from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from deep3d.coefficients import FaceCoefficients
from deep3d.pipeline.copies import Copy
from deep3d.pipeline.same_person import (
    COPY,
    DOUBT,
    NOBODY_TWICE,
    PEOPLE,
    STRANGER,
    SamePerson,
    Selection,
    find_strangers,
    identity_agreement,
    photo_weights,
    share_identity,
    who_is_left_out,
)
from deep3d.texture import Texture


def faces_at(*places: float) -> FaceCoefficients:
    """Faces whose first identity component is as given."""
    vectors = np.zeros((len(places), 257), np.float32)
    vectors[:, 0] = places
    return FaceCoefficients.from_vector(vectors)


SURE = np.full(4, 1.0)
KNOWN, VAGUE = 0.1, 0.9  # variance of an identity coefficient


def agreement_at(*places: float, variance: float | np.ndarray = KNOWN) -> np.ndarray:
    """Agreement of people who differ in every identity component, with fits of this variance in each."""
    rng = np.random.default_rng(2)
    directions = {place: rng.normal(size=80) for place in dict.fromkeys(places)}
    noise = np.sqrt(np.broadcast_to(variance, (len(places),)))[:, None]
    identity = np.array([directions[place] for place in places]) + noise * rng.normal(size=(len(places), 80))
    covariance = np.broadcast_to(variance, (len(places),))[:, None, None] * np.eye(80)
    return identity_agreement(identity, covariance)


def test_nobody_is_strange_among_photos_of_one_person():
    assert not find_strangers(agreement_at(0, 0, 0, 0), SURE).any()


def test_the_one_that_does_not_fit_in_is_named():
    assert find_strangers(agreement_at(0, 0, 1, 0), SURE).tolist() == [False, False, True, False]


def test_two_strangers_do_not_hide_each_other():
    assert find_strangers(agreement_at(0, 0, 0, 0, 1, 2), np.ones(6)).tolist() == [False] * 4 + [True] * 2


def test_two_people_of_two_photos_each_are_told_apart_and_the_surer_ones_kept():
    assert find_strangers(agreement_at(0, 1, 0, 1), np.array([1.0, 0.8, 1.0, 0.8])).tolist() == [True, False] * 2


def test_of_two_the_less_sure_one_is_the_stranger():
    assert find_strangers(agreement_at(0, 1), np.array([1.0, 1.2])).tolist() == [False, True]
    assert find_strangers(agreement_at(0, 1), np.array([1.2, 1.0])).tolist() == [True, False]


def test_what_a_photo_does_not_show_hardly_counts():
    alike, unlike = np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[1.0, 2.0], [1.0, -2.0]])
    seen = np.stack([0.1 * np.eye(2)] * 2)
    unseen = seen * np.array([1.0, 400.0])
    assert identity_agreement(alike, seen)[0, 1] > 1
    assert identity_agreement(unlike, seen)[0, 1] < -1
    assert identity_agreement(unlike, unseen)[0, 1] > 0


def log_density(vector: np.ndarray, covariance: np.ndarray) -> float:
    """Of the normal distribution about 0."""
    return float(-0.5 * (vector @ np.linalg.inv(covariance) @ vector + np.linalg.slogdet(2 * np.pi * covariance)[1]))


def test_agreement_is_how_much_likelier_one_person_is():
    identity = np.random.default_rng(1).normal(size=(2, 3))
    roots = np.random.default_rng(2).normal(size=(2, 3, 3))
    covariance = roots @ roots.mT + np.eye(3)
    own = [PEOPLE * np.eye(3) + DOUBT * each for each in covariance]
    other = PEOPLE * np.eye(3)
    both = np.block([[own[0], other], [other, own[1]]])
    two = log_density(identity[0], own[0]) + log_density(identity[1], own[1])
    expected = log_density(identity.ravel(), both) - two
    assert_allclose(identity_agreement(identity, covariance)[0, 1], expected)


def test_one_photo_is_nobody_elses():
    assert not find_strangers(np.zeros((1, 1)), np.ones(1)).any()


def test_sure_photos_count_more_and_strangers_nothing():
    weight = photo_weights(np.array([1.0, 2.0, 1.0]), np.array([False, False, True]))
    assert_allclose(weight, [0.8, 0.2, 0])
    shared = share_identity(faces_at(1, 6, 50), weight)
    assert_allclose(shared.identity[:, 0], [2, 2, 50])


def test_the_merged_face_is_the_surest_one_with_another_texture(toy_reconstruction, with_texture):
    def face(value: int) -> Any:
        made = with_texture(toy_reconstruction, np.zeros((1, 1, 3), np.uint8), timings_ms={"mark": float(value)})
        image = np.full((64, 64, 3), value, np.uint8)
        made.__dict__["unwrapped"] = Texture(image, np.full((64, 64), 255, np.uint8))
        return made

    person = SamePerson((face(100), None, face(120), face(250)), np.array([0.3, 0, 0.7, 0]), (3,))
    assert person.surest.timings_ms == {"mark": 120.0}
    assert person.merged.timings_ms == {"mark": 120.0}
    charts = person.merged.texture.max(axis=2) > 0
    assert charts.any() and person.merged.texture[charts].max() <= 121  # in the light of the surest, not the stranger's


def test_each_photo_that_is_left_out_is_named_with_the_reason(toy_reconstruction, with_texture):
    names = ["anna.jpg", "wall.jpg", "bert.jpg", "anne.jpg", "anna2.jpg"]
    reasons = Selection(np.array([False, False, True, False, False]), {4: Copy(0, mirrored=True)}).reasons(names)
    sentences = who_is_left_out(names, found=[0, 2, 3, 4], reasons=reasons)
    assert sentences == (
        "wall.jpg is left out: no face was found.",
        "bert.jpg is left out: it seems to show another person.",
        "anna2.jpg is left out: it shows the mirror image of anna.jpg.",
    )
    face: Any = with_texture(toy_reconstruction, np.zeros((1, 1, 3), np.uint8))
    face.__dict__["unwrapped"] = Texture(np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 255, np.uint8))
    merged = SamePerson((face, None, face), np.array([1.0, 0, 0]), (2,), sentences).merged
    assert merged.warnings[:3] == sentences and face.warnings == ()


def test_where_no_two_agree_that_is_said_first():
    names = ["anna.jpg", "bert.jpg", "cleo.jpg"]
    reasons = Selection(np.array([True, False, True]), {}).reasons(names)
    sentences = who_is_left_out(names, found=[0, 1, 2], reasons=reasons)
    assert sentences[0] == NOBODY_TWICE.format("bert.jpg") and len(sentences) == 3
    assert who_is_left_out(names[:2], found=[0], reasons={}) == ("bert.jpg is left out: no face was found.",)


def test_a_picture_that_comes_again_does_not_outvote_others():
    # given three photos of one person, and one of another three times
    crops = np.random.default_rng(1).integers(0, 256, (4, 28, 28, 3), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    crops = crops[[0, 1, 2, 3, 3, 3]]
    agreement = agreement_at(0, 0, 0, 1, 1, 1)
    error = np.array([1.0, 1.0, 1.0, 0.8, 0.9, 0.9])
    # when all count, the other person wins; when each picture counts once, it does not
    assert find_strangers(agreement, error).tolist() == [True] * 3 + [False] * 3
    chosen = Selection.of(crops, np.full(6, 100.0), agreement, error)
    assert chosen.strange.tolist() == [False] * 3 + [True, False, False]
    assert chosen.left_out.tolist() == [False] * 3 + [True] * 3 and [*chosen.copies] == [4, 5]
    assert chosen.warnings == {3: STRANGER, 4: COPY, 5: COPY}


def test_the_hair_of_the_merged_face_is_in_the_other_photos_too_the_surest_first(toy_reconstruction, with_texture):
    def face(mask: Any) -> Any:
        made = with_texture(toy_reconstruction, np.zeros((1, 1, 3), np.uint8), hair_mask=mask)
        made.__dict__["unwrapped"] = Texture(np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 255, np.uint8))
        return made

    masks: list[Any] = ["faint", "surest", "stranger", "second"]
    merged = SamePerson(tuple(map(face, masks)), np.array([0.1, 0.6, 0, 0.3]), (2,)).merged
    assert merged.hair_mask == "surest"
    assert [sight.mask for sight in merged.other_sights] == ["second", "faint"]
