"""The normalised mean error, compared with a slow loop and with cases worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from deep3d.datasets.frozen import PortraitSet
from deep3d.errors import ShapeError
from deep3d.evaluation import PredictedLandmarks
from deep3d.evaluation.landmarks import evaluate_landmarks
from deep3d.evaluation.statistics import summarize
from deep3d.landmarks import box_size, landmark_errors


def portrait_set(count: int, seed: int = 3) -> PortraitSet:
    landmarks = np.random.default_rng(seed).uniform(100, 400, (count, 68, 2))
    return PortraitSet(tuple(Path(f"photos/portrait_{number:03d}.jpg") for number in range(count)), landmarks)


def slow_nme(predicted, reference, first):
    xs, ys = [x for x, _ in reference], [y for _, y in reference]
    box = math.sqrt((max(xs) - min(xs)) * (max(ys) - min(ys)))
    distances = [math.dist(p, r) for p, r in list(zip(predicted, reference))[first:]]
    return 100 * sum(distances) / len(distances) / box


def test_nme_agrees_with_a_slow_loop():
    dataset = portrait_set(4)
    predicted = dataset.landmarks + np.random.default_rng(1).normal(0, 5, dataset.landmarks.shape)
    errors = evaluate_landmarks([PredictedLandmarks(points) for points in predicted], dataset).errors
    for row in range(4):
        assert errors["nme51"][row] == pytest.approx(slow_nme(predicted[row], dataset.landmarks[row], 17))
        assert errors["nme68"][row] == pytest.approx(slow_nme(predicted[row], dataset.landmarks[row], 0))


def test_the_box_is_that_of_all_68_reference_points():
    reference = np.zeros((68, 2))
    reference[0], reference[1] = [-10, -40], [30, 0]  # two jaw points span 40 x 40
    assert box_size(reference) == 40
    np.testing.assert_allclose(landmark_errors(reference + [3, 4], reference), 12.5)


def test_an_error_in_one_region_shows_there_alone():
    dataset = portrait_set(1)
    predicted = dataset.landmarks[0].copy()
    predicted[36:48] += [0, 6]
    errors = evaluate_landmarks([PredictedLandmarks(predicted)], dataset).errors
    assert errors["eyes"][0] == pytest.approx(600 / box_size(dataset.landmarks[0]))
    assert [errors[name][0] for name in ("brows", "nose", "lips", "jaw")] == [0] * 4
    assert errors["nme51"][0] == pytest.approx(600 / box_size(dataset.landmarks[0]) * 12 / 51)


def test_photos_without_a_face_are_counted_and_left_out_of_the_mean():
    dataset = portrait_set(3)
    predictions = [PredictedLandmarks(dataset.landmarks[0]), None, PredictedLandmarks(dataset.landmarks[2] + [0, 9])]
    errors = evaluate_landmarks(predictions, dataset).errors
    summary = summarize(errors["nme51"])
    assert (summary.count, summary.found) == (3, 2)
    assert summary.mean == pytest.approx(errors["nme51"][2] / 2)
    assert all(np.isnan(values[1]) for values in errors.values())


def test_yaw_bands_hold_both_sides_and_only_known_angles():
    dataset = portrait_set(5)
    turns = [-20, 20, 14.9, None, 80]
    predictions = [PredictedLandmarks(points, turn) for points, turn in zip(dataset.landmarks, turns)]
    bands = evaluate_landmarks(predictions, dataset).by_group("yaw")
    assert {band: summary.found for band, summary in bands.items()} == {"0-15": 1, "15-30": 2, "60-180": 1}


def test_predictions_are_taken_one_by_one_and_progress_is_told():
    dataset, events = portrait_set(3), []

    def predict(photos):
        for photo, points in zip(photos, dataset.landmarks):
            events.append(photo.name)
            yield PredictedLandmarks(points)

    evaluate_landmarks(predict(dataset.photos), dataset, progress=lambda done, count: events.append((done, count)))
    assert events == ["portrait_000.jpg", (1, 3), "portrait_001.jpg", (2, 3), "portrait_002.jpg", (3, 3)]


def test_a_predictor_must_answer_for_every_photo():
    dataset = portrait_set(3)
    with pytest.raises(ValueError, match="longer"):
        evaluate_landmarks([None, None], dataset)


def test_other_landmark_counts_are_refused():
    with pytest.raises(ShapeError, match=r"predicted landmarks: expected shape \(68, 2\), got \(51, 2\)"):
        landmark_errors(np.zeros((51, 2)), np.ones((68, 2)))


def test_summary_of_known_numbers():
    summary = summarize(np.array([1.0, 2, 3, np.nan, 4, 10]))
    assert (summary.count, summary.found, summary.mean, summary.median) == (6, 5, 4, 3)
    assert summary.p90 == pytest.approx(7.6)


def test_summary_of_nothing_is_nothing():
    summary = summarize(np.full(2, np.nan))
    assert (summary.count, summary.found) == (2, 0) and np.isnan(summary.mean)
