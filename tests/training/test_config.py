"""Configuration files of training."""

from pathlib import Path

import pytest

from deep3d.errors import ConfigError
from deep3d.training.config import read_config

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "resnet50.toml"


def test_the_shipped_recipe_is_valid():
    config = read_config(SHIPPED)
    assert config.trunk == "resnet50"
    assert 224 % config.stages[-1].crop_size == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed = 1", "sead = 1"), "sead"),
        (("seed = 1", ""), "seed"),
        (("[[stages]]", "[[stage]]"), "stage"),
        (("seed = 1", "seed ="), "TOML"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(tmp_path, change, message):
    path = tmp_path / "run.toml"
    path.write_text(SHIPPED.read_text().replace(*change))
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(path)
    assert "run.toml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read_config(tmp_path / "none.toml")
