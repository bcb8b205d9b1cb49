"""Portraits with outlined hair as examples of the dense network."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from deep3d.dense.maps import MAP_SIZE
from deep3d.errors import ConfigError
from deep3d.face_model.files import OPEN_MODEL
from deep3d.files.assets import asset
from deep3d.network.checkpoints import read_checkpoint
from deep3d.synthetic.dressed_heads import HAIR, UNKNOWN
from deep3d.training.dense.outlined import NOT_HAIR, VIEWS, outlined_examples

MASKS = Path(__file__).parents[2] / "hair" / "masks" / "learn"


def test_views_show_hair_above_the_mesh_and_nothing_beyond_the_photo(shared, tmp_path):
    (tmp_path / "masks").mkdir()
    shutil.copy(MASKS / "portrait_024.png", tmp_path / "masks")
    model = asset("bfm", OPEN_MODEL)
    made = outlined_examples(
        tmp_path, MAP_SIZE, tmp_path / "masks", shared / "portraits", 1, read_checkpoint(None).path, model
    )
    assert len(made) == VIEWS and set(np.unique(made["classes"])) == {HAIR, NOT_HAIR, UNKNOWN}
    for view in made:
        hair = np.argwhere(view["classes"] == HAIR)
        mesh = np.argwhere(view["start_covered"])
        assert hair[:, 0].min() < mesh[:, 0].mean() and abs(hair[:, 1].mean() - mesh[:, 1].mean()) < 20
    again = outlined_examples(tmp_path, MAP_SIZE, tmp_path / "none", tmp_path, 1, Path("none"), Path("none"))
    np.testing.assert_array_equal(again, made)


def test_a_folder_without_masks_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no masks there"):
        outlined_examples(tmp_path, MAP_SIZE, tmp_path, tmp_path, 1, Path("none"), Path("none"))
