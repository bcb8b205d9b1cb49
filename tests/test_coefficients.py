import numpy as np
import pytest
import torch

from deep3d.coefficients import COEFFICIENT_COUNT, FIELDS, FaceCoefficients
from deep3d.errors import ShapeError


def numbered(count: int = 3) -> np.ndarray:
    return np.arange(count * COEFFICIENT_COUNT, dtype=np.float32).reshape(count, COEFFICIENT_COUNT)


def test_fields_have_the_documented_order_and_sizes():
    sizes = {name: part.stop - part.start for name, part in FIELDS.items()}
    assert sizes == {"identity": 80, "expression": 64, "albedo": 80, "rotation": 3, "lighting": 27, "translation": 3}
    starts = [part.start for part in FIELDS.values()]
    assert starts == [0, 80, 144, 224, 227, 254]


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])
def test_splitting_and_joining_gives_the_vector_back(convert):
    vector = convert(numbered())
    coefficients = FaceCoefficients.from_vector(vector)
    assert type(coefficients.rotation) is type(vector)
    np.testing.assert_array_equal(coefficients.rotation[0], [224, 225, 226])
    np.testing.assert_array_equal(coefficients.to_vector(), vector)


@pytest.mark.parametrize("shape", [(257,), (1, 256), (2, 1, 257)])
def test_another_shape_is_refused_and_named(shape):
    with pytest.raises(ShapeError, match=str(shape).replace("(", r"\(").replace(")", r"\)")):
        FaceCoefficients.from_vector(np.zeros(shape))


@pytest.mark.parametrize("index, faces", [(0, [0]), (2, [2]), (-1, [2]), (slice(1, 3), [1, 2])])
def test_indexing_keeps_a_batch(index, faces):
    part = FaceCoefficients.from_vector(numbered())[index]
    assert len(part) == len(faces)
    np.testing.assert_array_equal(part.to_vector(), numbered()[faces])
