"""Files lie in a folder or in any store of fsspec; its errors are the two that the site knows."""

import errno
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.errors import SettingsError, StorageError, StorageFull
from serving.store.storage import Storage


@pytest.fixture(params=["folder", "object store"])
def storage(request, tmp_path):
    """A folder, and fsspec's store in memory, which like S3 has no folders of its own."""
    return Storage(f"file://{tmp_path}/files" if request.param == "folder" else f"memory://{uuid.uuid4()}")


def test_what_is_written_can_be_read(storage):
    storage.write("jobs/1/photos/0.jpg", b"photo")
    assert storage.read("jobs/1/photos/0.jpg") == b"photo"
    stream, size = storage.open("jobs/1/photos/0.jpg")
    with stream:
        assert (stream.read(), size) == (b"photo", 5)
    storage.write("jobs/1/photos/0.jpg", b"another")
    assert storage.read("jobs/1/photos/0.jpg") == b"another"


def test_a_folder_goes_with_all_that_is_in_it_and_nothing_else(storage):
    for name in ("jobs/1/a", "jobs/1/b/c", "jobs/12/a"):
        storage.write(name, b"x")
    storage.delete("jobs/1")
    assert [storage.exists(name) for name in ("jobs/1", "jobs/1/b/c", "jobs/12/a")] == [False, False, True]
    storage.delete("jobs/1")


def test_what_is_not_there_is_told_as_that(storage):
    with pytest.raises(FileNotFoundError):
        storage.read("jobs/1/a")
    with pytest.raises(FileNotFoundError):
        storage.open("jobs/1/a")


def test_the_files_of_a_local_folder_are_moved(storage, tmp_path):
    (tmp_path / "face").mkdir()
    (tmp_path / "face" / "face.glb").write_bytes(b"glTF")
    storage.move_folder("jobs/1/run-1", tmp_path / "face")
    assert storage.read("jobs/1/run-1/face.glb") == b"glTF"
    assert not any((tmp_path / "face").iterdir())


def test_many_can_check_it_at_once_and_leave_nothing(storage):
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: storage.check(), range(200)))
    assert storage._files.find(storage._root) == []


def test_only_a_disk_has_room_that_can_be_told(tmp_path):
    assert (Storage(f"file://{tmp_path}").free_bytes() or 0) > 0
    assert Storage("memory://x").free_bytes() is None


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, StorageFull), (errno.EIO, StorageError)])
def test_errors_of_a_store_are_those_that_the_site_knows(storage, monkeypatch, number, expected):
    def fails(*arguments, **options):
        raise OSError(number, "no")

    monkeypatch.setattr(storage._files, "makedirs", fails)
    with pytest.raises(StorageError) as told:
        storage.write("jobs/1/a", b"x")
    assert type(told.value) is expected


def test_a_write_that_fails_leaves_nothing_half_written(tmp_path, monkeypatch):
    storage = Storage(f"file://{tmp_path}")
    storage.write("jobs/1/a", b"whole")

    def breaks_off(*arguments):
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("os.replace", breaks_off)
    with pytest.raises(StorageFull):
        storage.write("jobs/1/a", b"new")
    assert storage.read("jobs/1/a") == b"whole"
    assert [path.name for path in (tmp_path / "jobs/1").iterdir()] == ["a"]


def test_a_folder_goes_even_if_somebody_writes_into_it_meanwhile(storage, monkeypatch):
    storage.write("jobs/1/a", b"x")
    remove, interruptions = storage._files.rm, iter([OSError(errno.ENOTEMPTY, "not empty"), FileNotFoundError()])

    def interrupted(*arguments, **options):
        for error in interruptions:
            raise error
        remove(*arguments, **options)

    monkeypatch.setattr(storage._files, "rm", interrupted)
    storage.delete("jobs/1")
    assert not storage.exists("jobs/1")


@pytest.mark.parametrize("url", ["nonsense://x", "s4://bucket"])
def test_an_unknown_store_is_told_by_its_setting(url):
    with pytest.raises(SettingsError, match="DEEP3D_STORAGE_URL"):
        Storage(url)
