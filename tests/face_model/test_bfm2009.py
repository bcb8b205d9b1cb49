import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from deep3d.errors import FaceModelError, FaceModelInvalid, FaceModelMissing
from deep3d.face_model.bfm2009 import FILES, convert, read_bfm2009

SUM_TOLERANCE = {"idBase": 1e-3, "exBase": 1e-3, "texBase": 1e-2, "meanshape": 1e-3, "meantex": 1e-3}
ROWS = {  # of the golden vectors: the array of a face model, and what of it is one unit of the reference's
    "rows_id_base": ("identity_basis", 1),
    "rows_exp_base": ("expression_basis", 1),
    "rows_tex_base": ("albedo_basis", 255),
}


@pytest.fixture(scope="module")
def converted(bfm2009_folder) -> dict[str, np.ndarray]:
    return convert(bfm2009_folder)


@pytest.fixture
def links(bfm2009_folder, tmp_path) -> Path:
    """The folder of original files once more, each of which a test may remove or replace."""
    folder = tmp_path / "BFM"
    folder.mkdir()
    for name in FILES:
        (folder / name).symlink_to(bfm2009_folder / name)
    return folder


def replace_file(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("name", SUM_TOLERANCE)
def test_conversion_is_that_of_the_reference(converted, face_model_golden, name):
    array = converted[name].astype(np.float64)
    assert array.size == np.prod(face_model_golden[f"file_shape_{name}"])
    assert str(converted[name].dtype) == str(face_model_golden[f"file_dtype_{name}"])
    assert array.sum() == pytest.approx(face_model_golden[f"file_sum_{name}"], rel=0, abs=SUM_TOLERANCE[name])
    assert (array**2).sum() == pytest.approx(face_model_golden[f"file_sumsq_{name}"], rel=1e-7)


def test_the_model_file_holds_the_reference_rows(bfm2009_model, face_model_golden):
    rows = face_model_golden["basis_rows"]
    for name, (array, unit) in ROWS.items():
        basis = getattr(bfm2009_model, array)[:, rows].T * unit
        np.testing.assert_allclose(basis, face_model_golden[name], rtol=1e-6, atol=1e-7)
    mean_shape = bfm2009_model.mean_shape.ravel()
    np.testing.assert_allclose(mean_shape[rows], face_model_golden["rows_mean_shape"].ravel(), atol=2e-7)
    np.testing.assert_allclose(
        bfm2009_model.mean_albedo.ravel()[rows] * 255, face_model_golden["rows_mean_tex"].ravel(), rtol=1e-6
    )
    assert mean_shape.astype(np.float64).sum() == pytest.approx(
        float(face_model_golden["mean_shape_recentered_sum"]), abs=1e-2
    )
    assert (mean_shape.astype(np.float64) ** 2).sum() == pytest.approx(
        float(face_model_golden["mean_shape_recentered_sumsq"]), rel=1e-6
    )


def test_mesh_and_landmarks_are_the_reference_ones(bfm2009_model, face_model_golden, bfm2009_folder):
    info = loadmat(bfm2009_folder / "facemodel_info.mat")
    np.testing.assert_array_equal(bfm2009_model.triangles + 1, info["tri"])
    np.testing.assert_array_equal(bfm2009_model.landmark_vertices, face_model_golden["keypoints"].ravel())
    valence = (bfm2009_model.adjacency < len(bfm2009_model.triangles)).sum(axis=1)
    np.testing.assert_array_equal(valence[face_model_golden["vertex_index"]], face_model_golden["vertex_degree"])


def test_the_reference_own_file_gives_the_same_model(converted, bfm2009_model, tmp_path):
    counted_from_one = {name: converted[name] + 1 for name in ("tri", "keypoints")}
    flat = {name: converted[name].reshape(1, -1) for name in ("meanshape", "meantex")}
    flat |= {name: converted[name].reshape(-1, converted[name].shape[-1]) for name in ("idBase", "exBase", "texBase")}
    savemat(tmp_path / "BFM_model_front.mat", flat | counted_from_one)
    for source in (tmp_path, tmp_path / "BFM_model_front.mat"):
        model = read_bfm2009(source)
        np.testing.assert_array_equal(model.mean_shape, bfm2009_model.mean_shape)
        np.testing.assert_array_equal(model.identity_basis.reshape(80, -1), bfm2009_model.identity_basis)
        np.testing.assert_array_equal(model.expression_basis.reshape(64, -1), bfm2009_model.expression_basis)
        np.testing.assert_array_equal(model.triangles, bfm2009_model.triangles)


def test_all_missing_files_are_named_at_once(links):
    (links / "Exp_Pca.bin").unlink()
    (links / "BFM_front_idx.mat").unlink()
    with pytest.raises(FaceModelMissing, match=r"BFM: Exp_Pca\.bin, BFM_front_idx\.mat missing .*bfm/README\.md"):
        read_bfm2009(links)


def test_an_empty_folder_and_none(tmp_path):
    with pytest.raises(FaceModelMissing, match=r"01_MorphableModel\.mat.*BFM_model_front\.mat"):
        read_bfm2009(tmp_path)
    with pytest.raises(FaceModelMissing, match="nowhere: no such file or folder"):
        read_bfm2009(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(links, bfm2009_folder, name):
    with (bfm2009_folder / name).open("rb") as file:
        head = file.read(600)
    replace_file(links / name, head[:-7])
    with pytest.raises(FaceModelInvalid) as caught:
        read_bfm2009(links)
    assert str(links / name) in str(caught.value) and "\n" not in str(caught.value)


def test_expressions_of_another_mesh_are_refused(links):
    shutil.copy(links / "BFM_exp_idx.mat", links / "copy.mat")
    indices = loadmat(links / "copy.mat")["trimIndex"]
    (links / "BFM_exp_idx.mat").unlink()
    savemat(links / "BFM_exp_idx.mat", {"trimIndex": indices[:-1]})
    with pytest.raises(FaceModelInvalid, match=r"Exp_Pca\.bin: .* bytes, not the .* of 79 expressions over 53214"):
        read_bfm2009(links)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tri": None}, "'tri' is missing"),
        ({"keypoints": np.arange(1, 60)}, "'keypoints' is (1, 59), expected 68"),
        ({"keypoints": np.full(68, 35710)}, "'keypoints' is no list of vertices from 1 to 35709"),
        ({"tri": np.full((10, 3), 0.5)}, "'tri' is no list of vertices"),
        ({"tri": np.zeros((10, 3))}, "'tri' is no list of vertices"),
    ],
)
def test_a_wrong_topology_is_told(links, bfm2009_folder, changed, told):
    content = loadmat(bfm2009_folder / "facemodel_info.mat") | changed
    (links / "facemodel_info.mat").unlink()
    savemat(links / "facemodel_info.mat", {k: v for k, v in content.items() if v is not None and not k.startswith("_")})
    with pytest.raises(FaceModelError) as caught:
        read_bfm2009(links)
    assert told in str(caught.value)
