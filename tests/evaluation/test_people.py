"""Identity over photos: near to oneself, far from others."""

import numpy as np
import pytest

from deep3d.errors import DatasetError
from deep3d.evaluation import PredictedMesh
from deep3d.evaluation.people import face_distance, people_benchmark, read_people
from tests.evaluation.conftest import write_photo


@pytest.fixture
def folder(tmp_path):
    for person in ("anna", "bert"):
        for number in range(2):
            write_photo(tmp_path / person / f"{number}.jpg")
    return tmp_path


class Seer:
    """Sees each person's own shape, a little different each time, and turned."""

    name = "seer"

    def __init__(self, mesh: PredictedMesh) -> None:
        self.mesh = mesh

    def predict_meshes(self, photos):
        rng, rest = np.random.default_rng(1), self.mesh.neutral.vertices_mm
        for photo in photos:
            wide = rest * ([1.2, 1, 1] if photo.parent.name == "bert" else [1, 1, 1])
            shape = 1.1 * (wide + rng.normal(0, 0.5, wide.shape)) @ np.diag([-1.0, -1, 1])
            yield PredictedMesh(shape, self.mesh.triangles, self.mesh.landmark_vertices, shape)


def test_people_are_nearer_to_themselves(folder, mesh):
    measured = people_benchmark(folder).measure(Seer(mesh), None)  # pyright: ignore[reportArgumentType]
    assert measured is not None
    within, between = measured.errors["within"], measured.errors["between"]
    assert (within > 0.5).all() and (within < 2).all() and (between > 2 * within).all()
    assert measured.figures == {"nearest to their own person, %": 100}
    assert {name: summary.found for name, summary in measured.by_group("person").items()} == {"anna": 2, "bert": 2}


def test_size_and_place_do_not_count(mesh):
    moved = 1.3 * mesh.neutral.vertices_mm + [10, 20, 30]
    other = PredictedMesh(moved, mesh.triangles, mesh.landmark_vertices, moved)
    assert face_distance(other, mesh.neutral) < 1e-9


def test_one_photo_or_one_person_is_too_little(folder):
    (folder / "bert" / "1.jpg").unlink()
    with pytest.raises(DatasetError, match="bert: only one photo of this person"):
        read_people(folder)
    (folder / "bert" / "0.jpg").unlink()
    with pytest.raises(DatasetError, match="bert: no photos of this person"):
        read_people(folder)
    (folder / "bert").rmdir()
    with pytest.raises(DatasetError, match="fewer than two people"):
        read_people(folder)
