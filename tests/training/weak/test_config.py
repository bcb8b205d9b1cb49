"""Configurations of weakly supervised runs are read whole or refused by name."""

from pathlib import Path

import pytest

from deep3d.errors import ConfigError
from deep3d.training.weak.config import read_weak_config

EXAMPLE = Path(__file__).parents[3] / "checkpoints" / "weak.toml"


def test_the_example_has_the_weights_of_the_paper():
    config = read_weak_config(EXAMPLE)
    assert (config.loss.photometric, config.loss.landmarks) == (1.92, 1.6e-3)
    likely = [config.loss.identity, config.loss.expression, config.loss.albedo]
    assert likely == pytest.approx([3e-4, 0.8 * 3e-4, 0.017 * 3e-4])
    assert (config.loss.flatness, config.loss.light) == (5.0, 10.0)
    assert config.photos == (str(EXAMPLE.parent / "portraits"),)
    assert config.start is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('train_from = "layer4"', 'train_from = "layer5"', "'train_from' is 'layer5', choose one of conv1, layer1"),
        ("held_out = 3", "held_out = 1", "'held_out' is 1, which leaves no photo"),
        ("crop_size = 112", "crop_size = 96", "'crop_size' is 96, it must be a whole fraction of 224"),
        ("recognition = 0.0", "recognition = 0.2", "'recogniser' names no file"),
        ('photos = ["portraits"]', "photos = []", "'photos' is .., it must be a list"),
        ('photos = ["portraits"]', "photos = [3]", "'photos' is 3, it must name"),
        ("shift = 10.0", "shift = 40.0", r"'shift' in \[augmentation\] is 40.0, it must be a number from 0 to 16"),
        ("turn = 10.0", "", r"'turn' is missing in \[augmentation\]; checkpoints/weak\.toml has an example"),
        ("[schedule]", "[plan]", r"'crop_size' is missing in \[schedule\]"),
        ("workers = 1", "threads = 1", "unknown name 'threads' in the file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, message):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "weak.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"weak\.toml: .*{message}") as caught:
        read_weak_config(tmp_path / "weak.toml")
    assert "\n" not in str(caught.value)
