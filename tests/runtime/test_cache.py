"""What is kept in the user's folder, where that is, and what happens where nothing can be kept."""

import os
import time

import pytest

from deep3d.runtime.cache import cache_folder, keep, read_kept


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr("deep3d.runtime.cache.cache_folder", lambda: folder)
    return folder


def test_each_system_has_its_place_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "deep3d"
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert cache_folder().parts[-3:] == ("Library", "Caches", "deep3d")
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setenv("LOCALAPPDATA", "C:/Users/me/AppData/Local")
    assert cache_folder().as_posix() == "C:/Users/me/AppData/Local/deep3d/Cache"


def test_a_user_without_a_home_is_no_error(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7, raising=False)
    monkeypatch.chdir(tmp_path)
    keep("network", b"compiled")
    assert cache_folder().name in ("deep3d", "Cache")
    assert not any(tmp_path.iterdir())


def test_what_is_kept_is_read_again(cache):
    assert read_kept("network") is None
    keep("network", b"compiled")
    kept = read_kept("network")
    assert kept is not None and kept.content == b"compiled"
    kept.forget()
    assert kept.content == b"compiled"
    assert [path.name for path in cache.iterdir()] == ["network.kept"]


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:-1] + b"?", lambda _: b""])
def test_what_is_not_whole_is_not_read(cache, damage):
    keep("network", b"compiled")
    file = cache / "network.kept"
    file.write_bytes(damage(file.read_bytes()))
    assert read_kept("network") is None


def test_what_is_kept_may_be_only_to_be_read(cache, monkeypatch):
    keep("network", b"compiled")

    def refused(*_):
        raise PermissionError

    monkeypatch.setattr("os.utime", refused)
    kept = read_kept("network")
    assert kept is not None and kept.content == b"compiled"


def test_what_a_killed_process_left_goes_too(cache):
    cache.mkdir()
    for name, age in ((".partial-1-killed", 5000), (".partial-2-at-work", 5)):
        (cache / name).write_bytes(b"half")
        then = time.time() - age
        os.utime(cache / name, (then, then))
    keep("network", b"compiled")
    assert {path.name for path in cache.iterdir()} == {"network.kept", ".partial-2-at-work"}


def test_only_what_was_used_last_stays(cache):
    for number in range(6):
        keep(f"network{number}", b"compiled")
        os.utime(cache / f"network{number}.kept", (number, number))
    assert read_kept("network0")  # used now
    keep("network6", b"compiled")
    assert read_kept("network1") is None
    assert all(read_kept(f"network{number}") for number in (0, 2, 3, 4, 5, 6))


def test_where_nothing_can_be_written_nothing_happens(cache):
    cache.write_text("a file where the folder should be")
    keep("network", b"compiled")
    assert read_kept("network") is None
