"""NoW, MICC Florence, BU-3DFE and REALY in small, with scans of known distance from the prediction."""

import numpy as np
import pytest

from deep3d.camera import rotation_matrix
from deep3d.errors import DatasetError
from deep3d.evaluation import PredictedMesh
from deep3d.evaluation.published.cropped_scans import bu3dfe_benchmark, find_nose_tip, florence_benchmark
from deep3d.evaluation.published.now import SEVEN, now_benchmark, read_now
from deep3d.evaluation.published.realy import KEYPOINTS, read_realy, realy_benchmark
from deep3d.evaluation.scan_error import registration
from deep3d.evaluation.scan_error.mesh_files import read_scan
from deep3d.evaluation.scan_error.registration import sample_surface
from tests.evaluation.conftest import Fixed, write_obj, write_photo, write_picked_points


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """The scans are near to begin with, and a coarse sampling of this small mesh is dense enough."""
    monkeypatch.setattr(registration, "ROUNDS", 8)
    monkeypatch.setattr(registration, "SAMPLES", 20_000)


def points_on(vertices, triangles) -> np.ndarray:
    return sample_surface(vertices, triangles)[0][::10]


def nose_tip(vertices: np.ndarray, mesh: PredictedMesh) -> np.ndarray:
    return vertices[mesh.landmark_vertices[[30]]]


def turned(points: np.ndarray, degrees: float = 20.0, scale: float = 1.1) -> np.ndarray:
    return scale * points @ rotation_matrix(np.radians([[0, degrees, 5]]))[0].T + [30, -10, 500]


@pytest.fixture
def now_folder(tmp_path, mesh):
    """One person in two challenges; the scan is the face at rest, larger, turned and elsewhere."""
    lines = ["ANNA/multiview_neutral/IMG_1.jpg", "ANNA/selfie/IMG_2.jpg", "ANNA/selfie/IMG_3.jpg"]
    (tmp_path / "imagepathsvalidation.txt").write_text("\n".join(lines) + "\n")
    for line in lines:
        write_photo(tmp_path / "NoW_Dataset/final_release_version/iphone_pictures" / line)
    scan = turned(points_on(mesh.neutral_mm, mesh.triangles))
    write_obj(tmp_path / "scans/ANNA/scan.obj", scan, np.empty((0, 3), int))
    seven = turned(mesh.neutral_mm[mesh.landmark_vertices[list(SEVEN)]])
    write_picked_points(tmp_path / "scans_lmks_onlypp/ANNA/scan_picked_points.pp", seven)
    return tmp_path


def test_now_compares_the_face_at_rest_by_challenge(now_folder, mesh):
    measured = now_benchmark(now_folder).measure(Fixed(mesh), None)
    assert measured is not None
    assert measured.errors["median"][:2].max() < 0.1 and np.isnan(measured.errors["median"][2])
    groups = measured.by_group("challenge")
    assert [groups[name].found for name in ("multiview_neutral", "selfie")] == [1, 1]
    assert measured.figures["median of all points"] < 0.1


def test_now_needs_its_parts(now_folder, mesh):
    write_picked_points(now_folder / "scans_lmks_onlypp/ANNA/scan_picked_points.pp", np.ones((6, 3)))
    with pytest.raises(DatasetError, match="expected seven picked points, got 6"):
        now_benchmark(now_folder).measure(Fixed(mesh), None)
    (now_folder / "scans/ANNA/scan.obj").unlink()
    with pytest.raises(DatasetError, match=r"ANNA: no \*.obj file there"):
        read_now(now_folder)
    (now_folder / "imagepathsvalidation.txt").write_text("IMG_1.jpg\n")
    with pytest.raises(DatasetError, match="SUBJECT/CHALLENGE/PHOTO"):
        read_now(now_folder)


def test_florence_compares_the_face_at_rest_by_situation(tmp_path, mesh):
    subject = tmp_path / "subject_01"
    scan = points_on(mesh.neutral_mm, mesh.triangles) * 1.05
    write_obj(subject / "Model/frontal1/obj/110920150452.obj", scan, np.empty((0, 3), int))
    write_picked_points(subject / "Model/frontal1/obj/110920150452_nose.pp", nose_tip(1.05 * mesh.neutral_mm, mesh))
    for picture in ("Cooperative/0001.jpg", "Cooperative/0002.jpg", "PTZ-Indoor/0001.jpg"):
        write_photo(subject / "Videos" / picture)
    measured = florence_benchmark(tmp_path).measure(Fixed(mesh), None)
    assert measured is not None
    assert measured.errors["rms"][:2].max() < 0.5
    found = {name: summary.found for name, summary in measured.by_group("situation").items()}
    assert found == {"Cooperative": 2, "PTZ-Indoor": 0}


def test_scans_in_metres_are_told(now_folder, mesh):
    scan = read_scan(now_folder / "scans/ANNA/scan.obj").vertices
    write_obj(now_folder / "scans/ANNA/scan.obj", scan / 1000, np.empty((0, 3), int))
    with pytest.raises(DatasetError, match="both must be in millimetres"):
        now_benchmark(now_folder).measure(Fixed(mesh), None)


def test_florence_needs_pictures_of_its_videos(tmp_path):
    write_obj(tmp_path / "subject_01/Model/frontal1/obj/a.obj", np.zeros((1, 3)), np.empty((0, 3), int))
    with pytest.raises(DatasetError, match="take the videos apart with ffmpeg"):
        florence_benchmark(tmp_path)


def test_a_picked_nose_tip_is_taken_or_else_the_foremost_point(tmp_path):
    assert find_nose_tip(tmp_path / "a.obj", np.array([[1.0, 2, 3], [0, 0, 4], [9, 9, 0]])).tolist() == [0, 0, 4]
    write_picked_points(tmp_path / "a_nose.pp", np.array([[1.0, 2, 3]]))
    assert find_nose_tip(tmp_path / "a.obj", np.zeros((4, 3))).tolist() == [1, 2, 3]


def test_bu3dfe_compares_expressions(tmp_path, mesh):
    smiling = points_on(mesh.vertices_mm, mesh.triangles)
    rest = points_on(mesh.neutral_mm, mesh.triangles)
    for code, vertices in (("HA01WH", smiling), ("NE00WH", rest), ("SU04BL", rest)):
        stem = tmp_path / "F0001" / f"F0001_{code}"
        write_photo(stem.with_name(stem.name + "_F2D.bmp"))
        text = ", ".join(f"{x} {y} {z}" for x, y, z in vertices)
        wrl = f"#VRML V2.0 utf8\nShape {{ geometry IndexedFaceSet {{ coord Coordinate {{ point [ {text} ] }}\n"
        stem.with_name(stem.name + "_F3D.wrl").write_text(wrl + "coordIndex [ 0, 1, 2, -1 ] } }\n")
        write_picked_points(stem.with_name(stem.name + "_F3D_nose.pp"), nose_tip(mesh.vertices_mm, mesh))
    measured = bu3dfe_benchmark(tmp_path).measure(Fixed(mesh), None)
    assert measured is not None
    happy, neutral, _ = measured.errors["mean"]
    assert happy < 0.15 < neutral  # the mesh smiles
    assert list(measured.by_group("expression")) == ["happy", "neutral", "surprise"]
    (tmp_path / "F0001" / "F0001_HA01WH_F3D.wrl").unlink()
    with pytest.raises(DatasetError, match=r"F3D\.wrl: scan missing, 1 in all"):
        bu3dfe_benchmark(tmp_path)


@pytest.fixture
def realy_folder(tmp_path, mesh):
    """One scan in a unit of half a millimetre, whose nose region is elsewhere than the rest says."""
    keypoints = turned(mesh.vertices_mm[mesh.landmark_vertices], scale=2)
    write_obj(tmp_path / "REALY_HIFI3D_keypoints/1.obj", np.r_[keypoints, np.zeros((17, 3))], np.empty((0, 3), int))
    surface = turned(points_on(mesh.vertices_mm, mesh.triangles), scale=2)
    for region, rows in KEYPOINTS.items():
        near = np.linalg.norm(surface[:, None] - keypoints[rows], axis=2).min(axis=1) < 60
        rough = np.random.default_rng(0).normal(0, 4, (near.sum(), 3)) * (region == "nose")
        write_obj(tmp_path / f"REALY_scan_region/1/{region}.obj", surface[near] + rough, np.empty((0, 3), int))
    (tmp_path / "metrical_scale.txt").write_text("0.5\n")
    for name in ("1.jpg", "1_2.jpg", "1_3.jpg"):
        write_photo(tmp_path / "images" / name)
    return tmp_path


def test_realy_measures_each_region_by_itself(realy_folder, mesh):
    measured = realy_benchmark(realy_folder).measure(Fixed(mesh), None)
    assert measured is not None
    errors = {name: values[0] for name, values in measured.errors.items()}
    assert max(errors[name] for name in ("mouth", "forehead", "cheek")) < 0.2
    assert 1 < errors["nose"] < 2  # half of the mean of |N(0, 4)|, 3.2, along the normal
    assert errors["all"] == pytest.approx(np.mean([errors[name] for name in KEYPOINTS]))
    assert {name: summary.found for name, summary in measured.by_group("view").items()} == {"frontal": 1, "turned": 1}


def test_realy_needs_numbers_it_knows(realy_folder):
    write_photo(realy_folder / "images" / "2.jpg")
    with pytest.raises(DatasetError, match="ID from 1 to 1"):
        read_realy(realy_folder)
    (realy_folder / "metrical_scale.txt").write_text("half\n")
    with pytest.raises(DatasetError, match="no scales there"):
        read_realy(realy_folder)
