import numpy as np
import pytest

from deep3d.coefficients import FaceCoefficients
from deep3d.errors import ShapeError
from deep3d.regression import DenseLandmarks, Regression, Regressor


class CountingRuntime:
    """Answers each crop with 257 times its mean red, and keeps the sizes of its batches."""

    name = "counting"
    precision = "fp32"

    def __init__(self):
        self.batches = []

    def __call__(self, crops):
        assert crops.dtype == np.float32 and crops.shape[1:] == (3, 224, 224) and crops.flags.c_contiguous
        self.batches.append(len(crops))
        return np.repeat(crops[:, 0].mean(axis=(1, 2))[:, None], 257, axis=1)


@pytest.fixture
def crops() -> np.ndarray:
    crops = np.zeros((5, 224, 224, 3), np.uint8)
    crops[..., 0] = np.array([0, 51, 102, 153, 255])[:, None, None]
    crops[..., 2] = 77
    return crops


def test_crops_keep_their_order_through_batches(crops):
    runtime = CountingRuntime()
    coefficients = Regressor(runtime, batch_size=2)(crops).coefficients
    assert runtime.batches == [2, 2, 1]
    np.testing.assert_allclose(coefficients.rotation[:, 1], [0, 0.2, 0.4, 0.6, 1], rtol=1e-5)
    assert coefficients.identity.shape == (5, 80)


def test_no_crops_give_no_faces(crops):
    runtime = CountingRuntime()
    regression = Regressor(runtime)(crops[:0])
    assert len(regression.coefficients) == 0
    assert runtime.batches == []


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((224, 224, 3), np.uint8), np.zeros((1, 3, 224, 224), np.uint8), np.zeros((1, 224, 224, 3), np.float32)],
)
def test_wrong_crops(wrong):
    with pytest.raises(ShapeError, match="expected \\(B, 224, 224, 3\\) uint8, got"):
        Regressor(CountingRuntime())(wrong)


def test_dense_landmarks_stand_behind_the_coefficients(crops):
    class DenseRuntime(CountingRuntime):
        def __call__(self, crops):
            seen = np.tile(np.array([10, 20, 0, 30, 40, np.log(3)], np.float32), (len(crops), 1))
            return np.concatenate([super().__call__(crops), seen], axis=1)

    regression = Regressor(DenseRuntime(), batch_size=2)(crops)
    assert regression.coefficients.identity.shape == (5, 80)
    assert regression.dense is not None
    np.testing.assert_array_equal(regression.dense.points[4], [[10, 20], [30, 40]])
    np.testing.assert_allclose(regression.dense.deviation[4], [1, 3], rtol=1e-6)


def test_faces_are_taken_from_two_batches():
    def some(values: list[float]) -> Regression:
        column = np.array(values, np.float32)[:, None]
        coefficients = FaceCoefficients.from_vector(np.repeat(column, 257, axis=1))
        return Regression(coefficients, DenseLandmarks(np.zeros((len(values), 5, 2)) + column[..., None], column + 10))

    first = some([1, 2, 3])
    mixed = Regression.concatenate([first, some([4, 5])]).take([0, 4, 2, 3])
    assert mixed.dense is not None
    assert mixed.coefficients.to_vector()[:, 7].tolist() == mixed.dense.points[:, 3, 1].tolist() == [1, 5, 3, 4]
    assert mixed.dense.deviation[:, 0].tolist() == [11, 15, 13, 14]
    assert first.replaced([2, 0], some([4, 5])).coefficients.to_vector()[:, 7].tolist() == [5, 2, 4]


def test_of_no_faces_none_are_taken(crops):
    nobody = Regressor(CountingRuntime())(crops[:0])
    assert len(Regression.concatenate([nobody, nobody]).take([])) == 0
