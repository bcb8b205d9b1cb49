"""The files of `deep3d depth`: depth that reads back, normals, and a mesh of what is seen."""

import numpy as np
import pytest
import trimesh
from numpy.testing import assert_allclose
from PIL import Image

from deep3d.camera import project
from deep3d.dense import DenseMaps
from deep3d.dense.layers import CLASSES
from deep3d.dense.maps import MAP_SIZE, SurfaceMaps
from deep3d.errors import DepthInvalid, OutputNotWritable
from deep3d.export import write_depths

SKIN, HAIR = 1, 2


def maps(kind: int = SKIN, faces: int = 1) -> DenseMaps:
    """A ball of 60 mm in the middle of the crop, of one class."""
    rows, columns = np.mgrid[:MAP_SIZE, :MAP_SIZE]
    across, up = (columns - 55.5) / 40, (55.5 - rows) / 40
    inside = across**2 + up**2 < 0.9
    z = np.sqrt(np.clip(1 - across**2 - up**2, 0.1, 1))
    normals = np.stack([across, up, z], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    classes = np.zeros((MAP_SIZE, MAP_SIZE, len(CLASSES)), np.float32)
    classes[..., kind] = 1
    parts = [inside, (0.6 * z).astype(np.float32), normals.astype(np.float32), np.zeros((*z.shape, 3), np.float32)]
    surface = SurfaceMaps(*(np.repeat(part[None], faces, axis=0) for part in parts))
    classes = np.repeat(classes[None], faces, axis=0)
    return DenseMaps(surface, np.full((faces, MAP_SIZE, MAP_SIZE, 3), 0.01, np.float32), classes)


def test_depth_reads_back_in_millimetres(toy_reconstruction, tmp_path):
    (folder,) = write_depths([toy_reconstruction], maps(), tmp_path / "anna")

    depth = np.load(folder / "depth.npy")
    nearest = 100 * (10 - 0.4 - 0.6)  # the head stands 0.4 dm before the origin
    assert depth.shape == (224, 224) and depth.dtype == np.float32
    assert np.nanmin(depth) == pytest.approx(nearest, abs=0.1)
    assert np.isnan(depth[0, 0])
    image = Image.open(folder / "depth.png")
    levels = np.asarray(image)
    assert levels.dtype == np.uint16
    read = np.where(levels > 0, levels * float(image.info["Scale"]), np.nan)
    assert_allclose(read, depth, atol=float(image.info["Scale"]))
    assert float(image.info["FocalLengthPx"]) == toy_reconstruction.camera.focal_length_px


def test_the_mesh_lies_on_the_picture(toy_reconstruction, tmp_path):
    (folder,) = write_depths([toy_reconstruction], maps(), tmp_path)

    mesh = trimesh.load(folder / "depth_mesh.obj", process=False)
    assert isinstance(mesh, trimesh.Trimesh) and len(mesh.faces) > 5000
    placed = mesh.vertices / 100 + [0, 0, toy_reconstruction.camera.distance]
    seen = project(placed[None], toy_reconstruction.camera)[0]
    uv = np.asarray(mesh.visual.uv)  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
    assert_allclose(seen, np.column_stack([uv[:, 0], 1 - uv[:, 1]]) * 224 - 0.5, atol=0.02)
    assert (mesh.face_normals[:, 2] > 0).mean() > 0.99
    assert {path.name for path in tmp_path.iterdir()} >= {"depth_mesh.mtl", "depth_mesh.jpg", "normals.png"}


def test_hair_is_no_face(toy_reconstruction, tmp_path):
    with pytest.raises(DepthInvalid, match=r"anna\.jpg: no skin is visible in the face"):
        write_depths([toy_reconstruction], maps(HAIR), tmp_path / "anna")
    assert not (tmp_path / "anna").exists()


def test_several_faces_have_folders_of_their_own_and_other_files_stay(toy_reconstruction, tmp_path):
    (tmp_path / "face.obj").write_text("mine")
    folders = write_depths([toy_reconstruction] * 2, maps(faces=2), tmp_path)
    assert [folder.name for folder in folders] == ["face-1", "face-2"]
    assert (tmp_path / "face.obj").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named(toy_reconstruction, tmp_path):
    (tmp_path / "anna").write_text("a file")
    with pytest.raises(OutputNotWritable, match="anna: depth cannot be written there"):
        write_depths([toy_reconstruction], maps(), tmp_path / "anna")
