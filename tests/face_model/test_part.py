import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import ModelPart


def test_a_part_has_the_vertices_of_the_whole(toy_face_model):
    rng = np.random.default_rng(4)
    faces = FaceCoefficients.from_vector(rng.normal(size=(3, 257)).astype(np.float32))
    wanted = rng.integers(0, len(toy_face_model.mean_shape), (7, 3))

    part = ModelPart.of(toy_face_model, wanted)

    assert_array_equal(part.vertices[part.rows(wanted)], wanted)
    assert_array_equal(part.vertices, np.unique(wanted))
    assert_allclose(part.shape(faces), toy_face_model.shape(faces)[:, part.vertices], atol=1e-5)
