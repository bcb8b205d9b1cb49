"""What is kept for the next process, and what happens where nothing can be."""

import numpy as np
import pytest

from deep3d.runtime import load_runtime
from deep3d.runtime.user_cache import cache_folder, writable_cache


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_each_system_has_its_place(home, monkeypatch):
    assert cache_folder() == home / "deep3d"
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert cache_folder().parts[-3:] == ("Library", "Caches", "deep3d")
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setenv("LOCALAPPDATA", "C:/Users/me/AppData/Local")
    assert cache_folder().as_posix() == "C:/Users/me/AppData/Local/deep3d/Cache"


def test_a_place_that_cannot_be_written_is_none(home):
    home.write_text("a file where the folder should be")
    assert writable_cache("openvino") is None


@pytest.mark.parametrize("damage", [None, lambda content: content[: len(content) // 2], lambda content: b"nothing"])
def test_a_network_is_the_same_whatever_becomes_of_what_is_kept(damage, home, toy_checkpoint):
    crops = np.random.default_rng(5).random((2, 3, 224, 224), np.float32)
    first = load_runtime(toy_checkpoint, "openvino", threads=1, precision="fp32")(crops)
    (kept,) = (home / "deep3d" / "openvino").glob("*.blob")
    if damage is not None:
        content = damage(kept.read_bytes())
        kept.unlink()
        kept.write_bytes(content)
    again = load_runtime(toy_checkpoint, "openvino", threads=1, precision="fp32")(crops)
    np.testing.assert_array_equal(again, first)


def test_networks_run_without_a_cache(home, toy_checkpoint):
    home.write_text("a file where the folder should be")
    crops = np.zeros((1, 3, 224, 224), np.float32)
    assert np.isfinite(load_runtime(toy_checkpoint, "openvino", threads=1, precision="fp32")(crops)).all()
