import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from deep3d.errors import CheckpointInvalid, CheckpointMismatch
from deep3d.face_model import FaceModel, default_face_model
from deep3d.face_model.components import Components
from deep3d.fitting import LandmarkBasis
from deep3d.network.binding import binding_path, rebind, write_binding
from deep3d.network.checkpoints import read_checkpoint

INSIDE, SKIN = 100, 40  # vertices of the toy model: taken as the mouth's inside, and as cheek


@pytest.fixture(scope="module")
def trained_for(toy_face_model) -> FaceModel:
    """The toy model, one of whose vertices is no skin and moves with no expression."""
    skin = toy_face_model.skin.copy()
    skin[INSIDE] = 0
    return changed(replace(toy_face_model, skin=skin), "expression_components", INSIDE, 0.0)


def changed(model: FaceModel, components: str, vertex: int, to: float | None = None) -> FaceModel:
    """The model with components that move a vertex by a centimetre more, or by just so much."""
    basis = np.array(getattr(model, components).basis).reshape(-1, len(model.mean_shape), 3)
    basis[:, vertex] = basis[:, vertex] + 0.1 if to is None else to
    info = replace(model.info, version="2", sha256="cd" * 32)
    return replace(model, info=info, **{components: Components.of(basis.reshape(len(basis), -1))})


def test_what_the_networks_do_not_see_may_change(trained_for):
    new = changed(trained_for, "identity_components", INSIDE)
    bound = rebind("ab" * 32, [SKIN], trained_for, new)
    assert bound.face_model_sha256 == "cd" * 32 and bound.face_model == "toy 2" and bound.still == ()


def test_a_dense_landmark_off_the_skin_that_now_moves_is_still_for_the_network(trained_for):
    new = changed(trained_for, "expression_components", INSIDE, 0.1)
    assert rebind("ab" * 32, [SKIN, INSIDE], trained_for, new).still == (1,)
    basis = LandmarkBasis.of_vertices(new, [SKIN, INSIDE], still=(1,))
    assert not basis.directions[1, :, 80:].any() and basis.directions[0, :, 80:].any()
    assert LandmarkBasis.of_vertices(new, [SKIN, INSIDE]).directions[1, :, 80:].any()


@pytest.mark.parametrize("components", ["identity_components", "expression_components", "albedo_components"])
def test_skin_may_not_change(trained_for, components):
    with pytest.raises(CheckpointMismatch, match=r"toy 2: .* would not be valid"):
        rebind("ab" * 32, [SKIN], trained_for, changed(trained_for, components, SKIN))


@pytest.mark.parametrize("part", ["mean_shape", "landmark_weights", "expression_names", "fewer"])
def test_mean_landmarks_and_names_may_not_change(trained_for, part):
    new = changed(trained_for, "identity_components", INSIDE)
    if part == "mean_shape":
        new = replace(new, mean_shape=new.mean_shape + np.float32(0.001))
    elif part == "landmark_weights":
        new = replace(new, landmark_weights=new.landmark_weights[:, [1, 2, 0]])
    elif part == "expression_names":
        new = replace(new, expression_names=new.expression_names[::-1])
    else:
        new = replace(new, mean_shape=new.mean_shape[:-1])
    with pytest.raises(CheckpointMismatch, match="train it for this model"):
        rebind("ab" * 32, [SKIN], trained_for, new)


def test_a_bound_checkpoint_serves_both_models(tmp_path, toy_checkpoint_path, toy_face_model, trained_for):
    path = tmp_path / "toy.safetensors"
    shutil.copy(toy_checkpoint_path, path)
    new = changed(trained_for, "identity_components", INSIDE)
    with pytest.raises(CheckpointMismatch):
        read_checkpoint(path).require_model(new.info)
    write_binding(path, replace(rebind(read_checkpoint(path).sha256, [SKIN], trained_for, new), still=(0,)))
    bound = read_checkpoint(path)
    for model in (toy_face_model, new):
        bound.require_model(model.info)
    assert bound.still_landmarks(new.info) == (0,) and bound.still_landmarks(toy_face_model.info) == ()
    with pytest.raises(CheckpointMismatch):
        bound.require_model(replace(new.info, sha256="ef" * 32))


def test_the_record_of_another_file_does_not_count(tmp_path, toy_checkpoint_path, trained_for):
    path = tmp_path / "toy.safetensors"
    shutil.copy(toy_checkpoint_path, path)
    new = changed(trained_for, "identity_components", INSIDE)
    write_binding(path, rebind("ab" * 32, [SKIN], trained_for, new))
    assert read_checkpoint(path).binding is None


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"still": [1]})])
def test_a_damaged_record_is_named(tmp_path, toy_checkpoint_path, text):
    path = tmp_path / "toy.safetensors"
    shutil.copy(toy_checkpoint_path, path)
    binding_path(path).write_text(text)
    with pytest.raises(CheckpointInvalid, match=r"toy\.binding\.json: damaged"):
        read_checkpoint(path)


def test_the_shipped_checkpoint_serves_the_shipped_model():
    checkpoint, model = read_checkpoint(), default_face_model()
    checkpoint.require_model(model.info)
    basis = LandmarkBasis.of_vertices(model, checkpoint.dense_vertices, checkpoint.still_landmarks(model.info))
    off_skin = model.skin[np.asarray(checkpoint.dense_vertices)] < 0.1
    assert not basis.directions[off_skin, :, 80:].any()  # the network was never shown an eye that turns
