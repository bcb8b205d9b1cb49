"""The weak-perspective fit, the mean face row, and a whole evaluation with its report."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from deep3d.camera import Camera, Pose
from deep3d.errors import DatasetError, ShapeError
from deep3d.evaluation import PredictedLandmarks, PredictedMesh, run_evaluation
from deep3d.evaluation.catalogue import head_benchmarks, portrait_benchmarks
from deep3d.evaluation.mean_face import MeanFace, WeakPerspective, fit_weak_perspective
from deep3d.face_model import FaceModel
from deep3d.landmarks import five_points


@dataclass(frozen=True)
class KnowingReconstructor:
    """Finds the face in all photos but the last, and is off by 2 pixels."""

    face_model: FaceModel
    landmarks: dict[str, np.ndarray]  # by file name
    name: str = "toy checkpoint"

    def predict_landmarks(self, photos):
        for photo in photos[:-1]:
            yield PredictedLandmarks(self.landmarks[photo.name] + [2, 0], yaw=10.0)
        yield None

    def predict_meshes(self, photos):
        model = self.face_model
        for _ in photos:
            yield PredictedMesh(100 * model.mean_shape, model.triangles, model.landmark_vertices)

    def predict_person(self, photos):
        return next(self.predict_meshes(photos))

    def mean_face(self) -> MeanFace:
        return MeanFace(self.face_model, lambda photos: [five_points(self.landmarks[photo.name]) for photo in photos])


@pytest.fixture
def reconstructor(toy_face_model, portraits_folder) -> KnowingReconstructor:
    archive = np.load(portraits_folder / "landmarks.npz")
    return KnowingReconstructor(toy_face_model, dict(zip(archive["names"].tolist(), archive["mediapipe68"])))


@pytest.mark.parametrize("pose", [Pose(0, 0, 0), Pose(35, -10, 5), Pose(-50, 15, -25), Pose(20, 0, 130)])
def test_five_points_give_back_the_view_that_made_them(toy_face_model, pose):
    points = five_points(toy_face_model.landmarks(toy_face_model.mean_shape[None])[0].astype(float))
    view = WeakPerspective(pose.to_rotation().astype(float), Camera(120 * 1e5, 300, 260, 1e5))
    found = fit_weak_perspective(points, view.project(points))
    np.testing.assert_allclose(found.project(points), view.project(points), atol=1e-3)
    np.testing.assert_allclose(found.rotation, view.rotation, atol=1e-4)
    assert found.camera.focal_length_px == pytest.approx(view.camera.focal_length_px, rel=1e-4)


def test_a_pose_needs_four_points():
    with pytest.raises(ShapeError, match=r"N >= 4, got \(3, 3\), \(3, 2\)"):
        fit_weak_perspective(np.zeros((3, 3)), np.zeros((3, 2)))


def test_the_mean_face_is_told_where_no_face_is_found(toy_face_model):
    mean_face = MeanFace(toy_face_model, lambda photos: [None for _ in photos])
    assert list(mean_face.predict_landmarks([None, None])) == [None, None]  # pyright: ignore[reportArgumentType]


def test_the_mean_face_comes_first_and_is_exact_on_its_own_photos(portraits_folder, reconstructor):
    benchmarks = portrait_benchmarks(portraits_folder, "tune", confidence=False, turned=False)
    (table,) = run_evaluation(benchmarks, [reconstructor.mean_face(), reconstructor]).tables
    assert list(table.rows) == ["mean face", "toy checkpoint"]
    mean_face, own = table.rows.values()
    assert mean_face.main.max() < 0.01  # the photos show the mean face
    assert mean_face.by_group("yaw")["0-15"].found == 3
    np.testing.assert_array_equal(np.isnan(own.errors["nme68"]), [False, False, True])


def test_a_report_says_the_same_in_json_and_markdown(portraits_folder, heads_folder, reconstructor):
    told = []
    benchmarks = [*portrait_benchmarks(portraits_folder, "report", False, False), *head_benchmarks(heads_folder)[:1]]
    predictors = [reconstructor.mean_face(), reconstructor]
    report = run_evaluation(benchmarks, predictors, lambda *now: told.append(now))
    content = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert content["machine"] and content["date"].endswith("+00:00")
    portraits, heads = content["benchmarks"]
    own = portraits["rows"][1]
    assert portraits["name"] == "portraits" and "'report' half" in portraits["caption"]
    assert own["measures"]["nme51"]["found"] == 1 and own["measures"]["nme51"]["count"] == 2
    assert [row["photo"] for row in own["photos"]] == ["portrait_001.jpg", "portrait_003.jpg"]
    assert own["photos"][1]["nme51"] is None
    assert list(own["groups"]["yaw"]) == ["0-15"] and own["groups"]["skin"]["light"]["count"] == 2
    assert [row["photo"] for row in heads["rows"][0]["photos"]] == ["head_000.jpg", "head_001.jpg"]
    markdown = report.to_markdown()
    assert f"{own['measures']['nme51']['mean']:.2f}" in markdown
    assert f"{heads['rows'][1]['measures']['mean']['mean']:.3f}" in markdown
    assert "1 of 2" in markdown and "mean face" in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {len(line) for line in tables[:4]} == {len(tables[0])}
    assert told[0] == ("mean face, portraits", 1, 2) and told[-1] == ("toy checkpoint, heads", 2, 2)


def test_an_evaluation_needs_a_data_set(reconstructor):
    with pytest.raises(DatasetError, match="no data set given"):
        run_evaluation([], [reconstructor])
