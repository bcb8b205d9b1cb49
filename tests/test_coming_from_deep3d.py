"""The way of those who have a Basel model and trained weights: import both, reconstruct, edit coefficients, decode."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from scipy.io import loadmat, savemat
from typer.testing import CliRunner

from deep3d import cli
from deep3d.coefficients import FaceCoefficients
from deep3d.export import FORMATS, write_results
from deep3d.face_model import read_face_model
from deep3d.lighting import shade

SAMPLE = Path(__file__).parents[1] / "docs" / "sample" / "astronaut.jpg"
FILES = {"face.glb", "face.obj", "face.mtl", "texture.png", "albedo.png", "face.ply", "face.json", "overlay.jpg"}
MATERIAL_FILES = {
    *"face_material.glb base_color.png normal.png roughness.png specular.png light.hdr light.json".split()
}
MAT_FILES = {"face_pytorch.mat", "face_tensorflow.mat"}


def run(*arguments: object) -> None:
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


@pytest.fixture
def bfm_folder(tmp_path, toy_face_model) -> Path:
    """A folder with a BFM_model_front.mat, as the reference makes it: here of the toy face model."""
    model, folder = toy_face_model, tmp_path / "BFM"
    folder.mkdir()
    arrays = {
        "meanshape": model.mean_shape.reshape(1, -1),
        "meantex": 255 * model.mean_albedo.reshape(1, -1),
        "idBase": model.identity_basis.T,
        "exBase": model.expression_basis.T,
        "texBase": 255 * model.albedo_basis.T,
        "tri": model.triangles + 1,
        "keypoints": model.landmark_vertices[None] + 1,
    }
    savemat(folder / "BFM_model_front.mat", arrays)
    return folder


def test_the_whole_way(tmp_path, bfm_folder, toy_checkpoint_arrays):
    state = {name: torch.tensor(value) for name, value in toy_checkpoint_arrays.items()}
    torch.save({"net_recon": state}, tmp_path / "epoch_20.pth")
    model, checkpoint = tmp_path / "bfm2009.safetensors", tmp_path / "deep3d.safetensors"

    run("model", "import", "bfm2009", bfm_folder, "--out", model)
    run("checkpoint", "import", tmp_path / "epoch_20.pth", "--model", model, "--out", checkpoint)
    chosen = ["--model", model, "--checkpoint", checkpoint, "--formats", ",".join(FORMATS)]
    run("reconstruct", SAMPLE, "--out", tmp_path / "results", *chosen)

    folder = tmp_path / "results" / "astronaut"
    assert {path.name for path in folder.iterdir()} == FILES | MAT_FILES | MATERIAL_FILES
    face = json.loads((folder / "face.json").read_text())
    assert face["face_model"]["name"] == "Basel Face Model 2009" and face["checkpoint"]["name"] == "deep3d"

    pytorch, tensorflow = loadmat(folder / "face_pytorch.mat"), loadmat(folder / "face_tensorflow.mat")
    edited = np.repeat(tensorflow["coeff"], 2, axis=0)
    edited[1, 227:254] = 0  # the same face in plain light
    np.save(tmp_path / "edited.npy", edited)
    run("decode", tmp_path / "edited.npy", "--model", model, "--out", tmp_path / "faces.npz")

    with np.load(tmp_path / "faces.npz") as arrays:
        np.testing.assert_allclose(arrays["landmarks"][0] * [1, -1] + [0, 223], pytorch["lm68"][0], atol=1e-3)
        np.testing.assert_allclose(arrays["face_color"][0] * 255, tensorflow["face_color"], atol=1e-2)
        np.testing.assert_array_equal(arrays["face_shape"][0], arrays["face_shape"][1])
        plain = shade(arrays["face_texture"][1:], arrays["vertex_normal_rotated"][1:], np.zeros((1, 27), np.float32))
        np.testing.assert_allclose(arrays["face_color"][1:], plain, atol=1e-6)

    run("decode", folder / "face.json", "--model", model, "--out", tmp_path / "face.mat")
    np.testing.assert_allclose(
        loadmat(tmp_path / "face.mat")["face_shape"][0], read_face_model(model).shape(_face(pytorch))[0], atol=1e-5
    )


def _face(pytorch: dict) -> FaceCoefficients:
    names = ("id", "exp", "tex", "angle", "gamma", "trans")
    return FaceCoefficients.from_vector(np.concatenate([pytorch[name] for name in names], axis=1))


def test_every_file_of_a_model_of_full_size(tmp_path, bfm2009_model, toy_reconstruction, face_model_golden):
    coefficients = FaceCoefficients.from_vector(face_model_golden["coeffs"][:1])
    face = replace(toy_reconstruction, face_model=bfm2009_model, coefficients=coefficients)
    write_results(face, tmp_path / "face", FORMATS)
    assert {path.name for path in (tmp_path / "face").iterdir()} == FILES | MAT_FILES | MATERIAL_FILES
    mesh = trimesh.load_mesh(tmp_path / "face" / "face.ply", process=False)
    np.testing.assert_allclose(mesh.vertices, 100 * face.vertices, atol=1e-3)
    scene = trimesh.load_scene(tmp_path / "face" / "face.glb")
    (geometry,) = scene.geometry.values()
    assert len(geometry.faces) == len(bfm2009_model.triangles)
    landmarks = loadmat(tmp_path / "face" / "face_pytorch.mat")["lm68"] * [1, -1] + [0, 223]
    np.testing.assert_allclose(landmarks, face_model_golden["landmarks"][:1], atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["model", "import", "bfm2009", "NOWHERE", "--out", "OUT"], "NOWHERE"),
        (["model", "import", "bfm1999", "BFM", "--out", "OUT"], "bfm1999"),
        (["model", "import", "bfm2009", "BFM", "--out", "NOWHERE/x"], "cannot write this file"),
        (["checkpoint", "import", "NOWHERE", "--model", "BFM/BFM_model_front.mat", "--out", "OUT"], "BFM_model_front"),
        (["decode", "NOWHERE.npy", "--model", "BFM", "--out", "OUT"], "NOWHERE.npy"),
        (["reconstruct", str(SAMPLE), "--out", "OUT", "--formats", "obj,fbx"], "'fbx' is unknown"),
    ],
)
def test_wrong_usage_writes_nothing(tmp_path, bfm_folder, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["deep3d", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error
    assert not (tmp_path / "OUT").exists()


def test_decoded_files_are_npz_or_mat(tmp_path, toy_model_path, monkeypatch, capsys):
    np.save(tmp_path / "face.npy", np.zeros(257))
    monkeypatch.setattr(
        "sys.argv",
        [
            "deep3d",
            "decode",
            *map(str, [tmp_path / "face.npy", "--model", toy_model_path, "--out", tmp_path / "x.csv"]),
        ],
    )
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert "name it .npz or .mat" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"face.npy"}
