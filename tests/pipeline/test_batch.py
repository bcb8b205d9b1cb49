"""Many photos: batches of a bounded size, failures that stay with their photo, folders and reports."""

import gc
import json
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deep3d.errors import Deep3DError, NoFaceFound, PhotoFailed, PhotoUnreadable
from deep3d.photo import Photo
from deep3d.pipeline import batch as module
from deep3d.pipeline.batch import map_faces, reconstruct_into, result_folders


@dataclass
class FakeReconstructor:
    """Finds one "face", the photo itself, in photos that are not grey; some photos make it fail."""

    failing: dict[str, BaseException] = field(default_factory=dict)  # by file name
    largest_batch: int = 100  # photos that memory has room for
    batches: list[list[str]] = field(default_factory=list)

    def reconstruct(self, photos: list[Photo], faces: str = "largest") -> Any:
        self.batches.append([photo.name for photo in photos])
        if len(photos) > self.largest_batch:
            raise MemoryError
        for photo in photos:
            if photo.name in self.failing:
                raise self.failing[photo.name]
        return [[] if (photo.pixels == 127).all() else [photo] for photo in photos]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(path)
    return paths


def red(number: int, faces: Any) -> int:
    return int(faces[0].pixels[0, 0, 0])


def run(reconstructor: FakeReconstructor, photos: list[Path], work=red) -> list[Any]:
    return list(map_faces(reconstructor, photos, work))  # pyright: ignore[reportArgumentType]


def test_results_come_in_order_in_batches_of_eight(photos):
    reconstructor = FakeReconstructor()
    assert run(reconstructor, photos) == list(range(10))
    assert [len(batch) for batch in reconstructor.batches] == [8, 2]


def test_a_batch_is_closed_by_pixels_too(photos, monkeypatch):
    monkeypatch.setattr(module, "BATCH_PIXELS", 3 * 40 * 40)
    reconstructor = FakeReconstructor()
    assert run(reconstructor, photos) == list(range(10))
    assert [len(batch) for batch in reconstructor.batches] == [3, 3, 3, 1]


def test_photos_are_worked_on_side_by_side_and_results_stay_in_order(photos, monkeypatch):
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    together = threading.Barrier(2, timeout=30)

    def work(number: int, faces: Any) -> int:
        together.wait()
        time.sleep(0 if number % 2 else 0.02)
        return number

    assert run(FakeReconstructor(), photos, work) == list(range(10))


def test_who_wants_no_more_does_not_wait_for_the_rest(photos, monkeypatch):
    monkeypatch.setattr(module, "usable_cores", lambda: 1)
    begun: list[int] = []

    def work(number: int, faces: Any) -> int:
        begun.append(number)
        time.sleep(0.05)
        return number

    results = map_faces(FakeReconstructor(), photos, work)  # pyright: ignore[reportArgumentType]
    assert next(results) == 0
    results.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert len(begun) < 8


def test_photos_of_a_batch_are_gone_before_the_next_is_read(photos, monkeypatch):
    alive: list[weakref.ref] = []
    at_reading = []

    def read(path: Path) -> Photo:
        gc.collect()
        at_reading.append(sum(reference() is not None for reference in alive))
        photo = Photo(np.zeros((40, 40, 3), np.uint8), path.name, "0" * 64)
        alive.append(weakref.ref(photo))
        return photo

    monkeypatch.setattr(module, "read_photo", read)
    for _ in map_faces(FakeReconstructor(largest_batch=7), photos, red):  # pyright: ignore
        pass
    assert at_reading == [*range(8), 0, 1]


def test_each_failure_stays_with_its_photo(photos):
    photos[1].write_bytes(b"")
    Image.new("RGB", (40, 40), (127, 127, 127)).save(photos[2])
    failing = {"4.png": MemoryError(), "5.png": ValueError("two\nlines"), "6.png": OSError(5, "Input/output error")}
    results = run(FakeReconstructor(dict(failing)), photos)
    assert [results[number] for number in (0, 3, 7, 8, 9)] == [0, 3, 7, 8, 9]
    kinds = {1: PhotoUnreadable, 2: NoFaceFound, 4: PhotoFailed, 5: PhotoFailed, 6: PhotoFailed}
    for number, kind in kinds.items():
        message = str(results[number])
        assert type(results[number]) is kind
        assert message.startswith(f"{photos[number]}: ") and "\n" not in message
    assert "memory" in str(results[4])
    assert "unexpected error (ValueError two lines" in str(results[5])


def test_a_batch_too_large_for_memory_is_done_one_by_one(photos):
    reconstructor = FakeReconstructor(largest_batch=1)
    assert run(reconstructor, photos) == list(range(10))


def test_work_that_fails_is_the_failure_of_its_photo(photos):
    def work(number: int, faces: Any) -> int:
        return 1 // (number - 3)

    results = run(FakeReconstructor(), photos, work)
    assert [isinstance(result, Deep3DError) for result in results] == [number == 3 for number in range(10)]
    assert "ZeroDivisionError" in str(results[3])


def test_stopping_is_not_a_failure(photos):
    with pytest.raises(KeyboardInterrupt):
        run(FakeReconstructor({"2.png": KeyboardInterrupt()}), photos)


def test_reports_tell_folders_and_errors(tmp_path, photos, toy_reconstruction, monkeypatch):
    class TwoFaces:
        def reconstruct(self, photos: list[Photo], faces: str) -> Any:
            return [[toy_reconstruction] * (2 if faces == "all" else 1)] * len(photos)

    def write(faces: list[Any], folder: Path, formats: list[str], material: Any) -> list[Path]:
        assert formats == ["json"] and material is None
        if folder.name == "second":
            raise RuntimeError("a bug")
        return [folder / f"face-{number + 1}" for number in range(len(faces))]

    monkeypatch.setattr(module, "write_faces", write)
    folders = [tmp_path / "first", tmp_path / "second"]
    reconstructor: Any = TwoFaces()
    given, failed = reconstruct_into(reconstructor, photos[:2], folders, "all", ["json"])
    content = json.loads(json.dumps(given.to_json()))
    assert content["photo"] == str(photos[0]) and content["folder"] == str(folders[0]) and content["error"] is None
    assert [face["folder"] for face in content["faces"]] == [str(folders[0] / "face-1"), str(folders[0] / "face-2")]
    assert content["faces"][0]["score"] == 0.98 and set(content["faces"][0]["pose"]) == {"yaw", "pitch", "roll"}
    assert failed.to_json()["faces"] == [] and str(photos[1]) in str(failed.error)


def test_equal_names_get_folders_of_their_own_also_where_capitals_do_not_count():
    paths = [Path(name) for name in ("a/Anna.jpg", "b/anna.png", "anna-2.jpg", "ANNA.heic", "bert.jpg")]
    names = result_folders(paths)
    assert names == ["Anna", "anna-2", "anna-2-2", "ANNA-3", "bert"]
    assert len({name.casefold() for name in names}) == len(names)


def test_long_names_are_shortened_to_whole_characters():
    names = result_folders([Path("あ" * 83 + end) for end in ("a.jpg", "b.jpg", ".png")] + [Path("short.jpg")])
    assert names == ["あ" * 66, "あ" * 66 + "-2", "あ" * 66 + "-3", "short"]
