"""From many photos to a result folder and a report for each, in order; photos do not affect each other."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from deep3d.camera import Pose
from deep3d.detection.detector import WhichFaces
from deep3d.errors import Deep3DError, NoFaceFound, PhotoFailed
from deep3d.export import DEFAULT_FORMATS, other_files, write_faces
from deep3d.material import Material
from deep3d.photo import Photo, read_photo
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.pipeline.same_person import COPY, STRANGER, SamePerson, left_out
from deep3d.reconstruction import Reconstruction
from deep3d.runtime.cores import usable_cores

BATCH_PHOTOS = 8  # most photos in memory; they go through the network together
BATCH_PIXELS = 32_000_000  # with so many pixels in memory, no further photo is read
LONGEST_NAME = 200  # bytes of a result folder's name
MOST_NAMED = 3  # other files in a note

T = TypeVar("T")
Work = Callable[[int, list[Reconstruction]], T]
"""Work on the faces of one photo, given its number and at least one face, the largest first.

Several threads call it at a time, for different photos.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FaceReport:
    """The folder of one face's files."""

    folder: Path
    score: float  # the detector's, in [0, 1]
    pose: Pose


@dataclass(frozen=True)
class PhotoReport:
    """The result of one photo."""

    photo: Path
    folder: Path  # holds nothing new after an error
    faces: tuple[FaceReport, ...] = ()  # the largest first
    error: str | None = None  # one line
    notes: tuple[str, ...] = ()  # notes about a photo with a face, or about its folder

    def noting(self, notes: Sequence[str]) -> PhotoReport:
        """The report with further notes."""
        return replace(self, notes=(*self.notes, *notes))

    def to_json(self) -> dict[str, Any]:
        """Plain values, a line of `deep3d reconstruct --json`."""
        faces = [
            {"folder": str(each.folder), "score": round(each.score, 4), "pose": asdict(each.pose)}
            for each in self.faces
        ]
        return {"photo": str(self.photo), "folder": str(self.folder), "faces": faces, "error": self.error}


def reconstruct_into(
    reconstructor: Reconstructor,
    photos: Sequence[Path],
    folders: Sequence[Path],
    faces: WhichFaces = "largest",
    formats: Collection[str] = DEFAULT_FORMATS,
) -> Iterator[PhotoReport]:
    """Write the faces of each photo into its folder, as `export.write_faces` does; one report for each photo."""

    def write(number: int, found: list[Reconstruction]) -> PhotoReport:
        return _write(photos[number], folders[number], found, formats)

    for photo, folder, outcome in zip(photos, folders, map_faces(reconstructor, photos, write, faces), strict=True):
        yield PhotoReport(photo, folder, error=str(outcome)) if isinstance(outcome, Deep3DError) else outcome


def reconstruct_person_into(
    reconstructor: Reconstructor,
    photos: Sequence[Path],
    folders: Sequence[Path],
    merged: Path,
    formats: Collection[str] = DEFAULT_FORMATS,
) -> Iterator[PhotoReport]:
    """Write the faces of one person's photos, each into its folder, and the merged face into another.

    One report for each photo; the last one is for the merged face, and names the photo with its pose and expression.
    The merged face names each photo that is left out. Materials share one reflectance, each in its photo's own light.
    All photos are in memory together.
    """
    read = [_attempt(path, lambda path=path: read_photo(path)) for path in photos]
    numbers = [number for number, photo in enumerate(read) if isinstance(photo, Photo)]
    person = _attempt(merged, lambda: reconstructor.same_person([one for one in read if isinstance(one, Photo)]))
    if isinstance(person, Deep3DError):
        for path, folder, photo in zip(photos, folders, read):
            yield PhotoReport(path, folder, error=str(photo if isinstance(photo, Deep3DError) else person))
        return
    faces = dict(zip(numbers, person.faces, strict=True))
    told = {numbers[number]: STRANGER for number in person.strangers} | {
        numbers[number]: COPY for number in person.copies
    }
    shared = _shared(person, merged) if "material" in formats else [None] * len(numbers)
    materials = dict(zip(numbers, shared, strict=True))
    for number, (path, folder, photo) in enumerate(zip(photos, folders, read)):
        if isinstance(photo, Deep3DError):
            yield PhotoReport(path, folder, error=str(photo))
        elif (face := faces[number]) is None:
            yield PhotoReport(path, folder, error=str(NoFaceFound.in_photo(str(path))))
        else:
            notes = (f"{path}: {told[number]}",) if number in told else ()
            yield _attempted(path, folder, lambda face=face: face, formats, materials[number], notes)
    unread = [
        left_out(path.name, "it cannot be read") for path, photo in zip(photos, read) if not isinstance(photo, Photo)
    ]
    person = replace(person, left_out=(*person.left_out, *unread))
    surest = numbers[person.surest_photo]
    yield _attempted(photos[surest], merged, lambda: person.merged, formats, materials[surest])


def _shared(person: SamePerson, merged: Path) -> Sequence[Material | None]:
    """The materials of one person; none where that fails, and each photo's light is then taken off by itself."""
    found = _attempt(merged, lambda: person.materials)
    return [None] * len(person.faces) if isinstance(found, Deep3DError) else found


def _attempted(
    path: Path,
    folder: Path,
    make: Callable[[], Reconstruction],
    formats: Collection[str],
    material: Material | None,
    notes: tuple[str, ...] = (),
) -> PhotoReport:
    """Write the face, or report the error."""
    report = _attempt(path, lambda: _write(path, folder, [make()], formats, material))
    return PhotoReport(path, folder, error=str(report)) if isinstance(report, Deep3DError) else report.noting(notes)


def _write(
    path: Path,
    folder: Path,
    faces: Sequence[Reconstruction],
    formats: Collection[str],
    material: Material | None = None,
) -> PhotoReport:
    """Write the faces of one photo."""
    written = write_faces(faces, folder, formats, material)
    reports = [FaceReport(where, float(face.detection.score), face.pose) for face, where in zip(faces, written)]
    return PhotoReport(path, folder, tuple(reports), notes=_notes(path, folder, faces[0].photo))


def _notes(path: Path, folder: Path, photo: Photo) -> tuple[str, ...]:
    """Notes about a photo that was read and the folder that was written."""
    notes = [f"{path}: {warning}" for warning in photo.warnings]
    if photo.turn:
        notes.append(f"{path}: the face was not upright, so the photo was rotated by {photo.turn} degrees clockwise")
    if others := [str(other) for other in other_files(folder)]:
        named = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
        notes.append(f"{folder}: other files in this folder were kept: {named}")
    return tuple(notes)


def map_faces(
    reconstructor: Reconstructor,
    photos: Sequence[Path],
    work: Work[T],
    faces: WhichFaces = "largest",
) -> Iterator[T | Deep3DError]:
    """The result of `work` for the faces of each photo, or the error, such as NoFaceFound.

    A batch is freed before the next one is read.
    """
    start = 0
    pool = ThreadPoolExecutor(usable_cores())
    try:
        while start < len(photos):
            batch = _read_batch(photos[start:])
            found = _reconstruct(reconstructor, photos[start:], batch, faces)
            batch.clear()
            at_work = [pool.submit(_finish, photos[n], n, [each], work) for n, each in enumerate(found, start)]
            start += len(found)
            found.clear()
            while at_work:
                yield at_work.pop(0).result()
    finally:
        pool.shutdown(cancel_futures=True)  # on an early end, wait for running work only


def result_folders(photos: Sequence[Path]) -> list[str]:
    """A folder name for each photo: its stem, with -2, -3, ... if an earlier photo has it; case is ignored.

    A stem of more than `LONGEST_NAME` bytes is shortened, since file systems allow at most 255.
    """
    taken: set[str] = set()
    names = []
    for photo in photos:
        stem = _shortened(photo.stem)
        name, number = stem, 1
        while name.casefold() in taken:  # the same folder on most desktop computers
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _shortened(name: str) -> str:
    """At most so many bytes of it, without split characters."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= LONGEST_NAME else encoded[:LONGEST_NAME].decode(errors="ignore").rstrip(". ")


def _read_batch(paths: Sequence[Path]) -> list[Photo | Deep3DError]:
    """The next photos that fit in memory together."""
    batch: list[Photo | Deep3DError] = []
    pixels = 0
    for path in paths[:BATCH_PHOTOS]:
        photo = _attempt(path, lambda path=path: read_photo(path))
        batch.append(photo)
        pixels += 0 if isinstance(photo, Deep3DError) else photo.pixels.size // 3
        if pixels >= BATCH_PIXELS:
            break
    return batch


def _reconstruct(
    reconstructor: Reconstructor, paths: Sequence[Path], batch: list[Photo | Deep3DError], faces: WhichFaces
) -> list[list[Reconstruction] | Deep3DError]:
    """The faces of each photo of a batch; photos that fail together are tried one by one."""
    good = [(path, photo) for path, photo in zip(paths, batch) if isinstance(photo, Photo)]
    try:
        found = reconstructor.reconstruct([photo for _, photo in good], faces)
    except Exception:  # from one of them, or not enough memory for all at once
        found = [_attempt(path, lambda one=one: reconstructor.reconstruct([one], faces)[0]) for path, one in good]
    each = iter(found)
    return [photo if isinstance(photo, Deep3DError) else next(each) for photo in batch]


def _finish(path: Path, number: int, found: list[list[Reconstruction] | Deep3DError], work: Work[T]) -> T | Deep3DError:
    """Take the single item and do the work on it, so that its photo is freed afterwards."""
    faces = found.pop()
    if isinstance(faces, Deep3DError):
        return faces
    return _attempt(path, lambda: work(number, faces)) if faces else NoFaceFound.in_photo(str(path))


def _attempt(path: Path, action: Callable[[], T]) -> T | Deep3DError:
    """The result of the action, or a one-line error, also for unexpected faults."""
    try:
        return action()
    except Deep3DError as error:
        return error.with_traceback(None)  # tracebacks would keep the photo in memory
    except MemoryError:
        return PhotoFailed(f"{path}: not enough memory for this photo; reduce it, or close other programs")
    except Exception as error:
        _log.debug("%s failed", path, exc_info=True)
        reason = " ".join(f"{type(error).__name__} {error}".split())[:200]
        return PhotoFailed(
            f"{path}: unexpected error ({reason}); try this photo alone, and report the error if it fails again"
        )
