"""Configuration files of training."""

from dataclasses import fields
from pathlib import Path

import pytest

from deep3d.errors import ConfigError
from deep3d.training.config import LossWeights, Stage, TrainingConfig, read_config

RECIPES = sorted((Path(__file__).parents[2] / "checkpoints").glob("resnet*.toml"))
SHIPPED = next(path for path in RECIPES if path.name == "resnet50.toml")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "run.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_shipped_recipes_are_valid(recipe):
    config = read_config(recipe)
    assert config.trunk == "resnet50"
    assert 224 % config.stages[-1].crop_size == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 1", "sead = 1", "'sead'"),
        ("seed = 1", "", "'seed' is missing"),
        ("seed = 1", "seed =", "TOML"),
        ("seed = 1", "seed = true", "'seed' .* whole number"),
        ("seed = 1", "seed = 1.5", "'seed' .* whole number"),
        ("[[stages]]", "[[stage]]", "no \\[\\[stages\\]\\]"),
        ("crop_size = 96", "cropsize = 96", "'cropsize' in"),
        ("crop_size = 96", "crop_size = 100", "multiple of 16"),
        ("crop_size = 112", "crop_size = 96", "whole fraction of 224"),
        ("steps = 2200", 'steps = "2200"', "'steps' .* whole number"),
        ("steps = 2200", "steps = 0", "'steps' .* from 1"),
        ("reuse = 4.0", "reuse = nan", "'reuse' .* number"),
        ("projection = 0.6", "projection = -1", "'projection' .* from 0"),
        ("portrait_share = 0.25", "portrait_share = 1.0", "'portrait_share' .* to 0.5"),
        ("portraits =", "# portraits =", "'portrait_share' .* 'portraits'"),
        ('trunk = "resnet50"', 'trunk = "resnet101"', "'trunk' .* resnet18"),
        ('trunk = "resnet50"', "trunk = 50", "'trunk'"),
        ("seed = 1", "seed = 1\nstart = 3", "'start'"),
        ("dense_landmarks = 0", "dense_landmarks = 40", "'dense_landmarks' .* 70 or more"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(tmp_path, old, new, message):
    path = changed(tmp_path, old, new)
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_a_stray_table_is_named(tmp_path):
    path = changed(tmp_path, "[loss]", "[stage]\nx = 1\n[loss]")
    with pytest.raises(ConfigError, match="'stage'"):
        read_config(path)


def test_a_number_where_a_table_belongs_is_named(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("loss = 1")
    with pytest.raises(ConfigError, match=r"\[loss\] is 1"):
        read_config(path)


def test_whole_numbers_will_do_for_real_ones(tmp_path):
    assert read_config(changed(tmp_path, "reuse = 4.0", "reuse = 4")).reuse == 4


def test_portraits_are_found_from_where_the_file_lies(tmp_path):
    path = changed(tmp_path, 'portraits = "', 'portraits = "x/')
    assert Path(str(read_config(path).portraits)).is_relative_to(tmp_path / "x")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "none.toml"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read_config(path)


def test_every_number_has_a_range(tmp_path):
    """Each numeric field, set far off, is refused: none is forgotten in the table of ranges."""
    for kind in (TrainingConfig, Stage, LossWeights):
        for field in fields(kind):
            if field.type in ("int", "float"):
                lines = SHIPPED.read_text(encoding="utf-8").splitlines()
                path = tmp_path / "run.toml"
                path.write_text(
                    "\n".join(f"{field.name} = -1" if line.startswith(f"{field.name} =") else line for line in lines)
                )
                with pytest.raises(ConfigError, match=f"'{field.name}'"):
                    read_config(path)
