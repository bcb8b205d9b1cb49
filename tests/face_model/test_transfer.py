import numpy as np
import pytest

from deep3d.face_model import FaceModel, default_face_model
from deep3d.face_model.transfer import transfer

CORNERS = (8, 30, 36, 39, 42, 45, 48, 54)  # chin, nose, eyes, mouth


@pytest.fixture(scope="module")
def open_model() -> FaceModel:
    return default_face_model()


@pytest.fixture(scope="module")
def other_face(open_model) -> np.ndarray:
    """A mean face of other proportions, somewhere else."""
    return open_model.mean_shape * np.array([1.06, 0.97, 1.02], np.float32) + np.array([0.01, 0.06, 0.1], np.float32)


def distances_mm(found: np.ndarray, face: np.ndarray, model: FaceModel) -> np.ndarray:
    return 100 * np.linalg.norm(face[found] - model.landmarks(face[None])[0], axis=1)


@pytest.mark.parametrize(("known", "mean", "largest"), [((), 3.5, 9), (CORNERS, 1.5, 6)])
def test_landmarks_and_skin_come_over_to_another_face(open_model, other_face, known, mean, largest):
    given = {landmark: int(open_model.landmark_vertices[landmark]) for landmark in known}
    lent = transfer(other_face, open_model.triangles, given)
    error = distances_mm(lent.landmark_vertices, other_face, open_model)
    assert error.mean() < mean and error.max() < largest
    assert ((lent.skin > 127) == (open_model.skin > 0.5)).mean() > 0.95
    for landmark, vertex in given.items():
        assert lent.landmark_vertices[landmark] == vertex


def test_a_model_of_the_face_alone_is_enough(open_model, other_face):
    front = (other_face[:, 2] > 0.15) & (open_model.skin > 0.5)
    number = np.cumsum(front) - 1
    triangles = number[open_model.triangles[front[open_model.triangles].all(axis=1)]]
    inner = [landmark for landmark in CORNERS if front[open_model.landmark_vertices[landmark]]]
    lent = transfer(
        other_face[front], triangles, {each: int(number[open_model.landmark_vertices[each]]) for each in inner}
    )
    error = distances_mm(np.flatnonzero(front)[lent.landmark_vertices], other_face, open_model)
    assert error[17:].mean() < 2


def test_landmarks_are_never_at_loose_vertices(open_model, other_face):
    loose = np.concatenate([other_face, open_model.landmarks(other_face[None])[0]])
    lent = transfer(loose, open_model.triangles, {})
    assert lent.landmark_vertices.max() < len(other_face) and len(lent.skin) == len(loose)
