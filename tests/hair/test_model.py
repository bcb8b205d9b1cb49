from dataclasses import replace

# pyright: reportOptionalMemberAccess=false
import numpy as np

from deep3d.face_model import read_face_model
from deep3d.files.assets import asset
from deep3d.hair import hair_model
from deep3d.hair.grid import POINTS
from deep3d.hair.model import HAIR_MODEL


def test_the_shipped_file_belongs_to_the_shipped_face_model_and_is_small():
    model = hair_model(read_face_model())
    assert model is not None and model.mean.shape == (2 * POINTS,)
    assert asset("bfm", HAIR_MODEL).stat().st_size < 550_000


def test_the_grid_lies_on_the_skin_of_the_mean_head_and_moves_with_it():
    face = read_face_model()
    model = hair_model(face)
    assert np.allclose(model.skin(face.mean_shape, face), model.base)
    crown = model.base[0]
    assert np.linalg.norm(face.mean_shape - crown, axis=1).min() < 0.08
    moved = model.skin(face.mean_shape + np.array([0.1, 0, 0.2], np.float32), face)
    assert np.allclose(moved - model.base, [0.1, 0, 0.2], atol=2e-3)


def test_styles_are_alike_on_both_sides_on_average():
    thickness = hair_model(read_face_model()).mean[:POINTS].reshape(-1, 72)
    assert np.abs(thickness - thickness[:, (-np.arange(72)) % 72]).mean() < 0.02


def test_another_face_model_has_no_hair():
    face = read_face_model()
    other = replace(face, info=replace(face.info, sha256="0" * 64))
    assert hair_model(other) is None
