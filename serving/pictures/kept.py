"""Pictures that are kept beside the faces of a job until it goes, up to so many bytes of each job."""

from __future__ import annotations

from serving.store.storage import Storage

MOST_BYTES_OF_A_JOB = 128_000_000


def find(storage: Storage, folder: str, file: str) -> bytes | None:
    """A picture of the face in a folder, None if it is not kept."""
    try:
        return storage.read(_name(folder, file))
    except FileNotFoundError:
        return None


def has_room(storage: Storage, folder: str) -> bool:
    """Whether the job of the face in a folder may have one more."""
    return storage.size(f"{job_of(folder)}/pictures") < MOST_BYTES_OF_A_JOB


def keep(storage: Storage, folder: str, file: str, content: bytes) -> None:
    """Keep a picture, unless its face has been deleted meanwhile."""
    storage.write(_name(folder, file), content)
    if not storage.exists(f"{folder}/face.json"):
        forget(storage, folder, file)


def forget(storage: Storage, folder: str, file: str) -> None:
    """Keep a picture no longer."""
    storage.delete(_name(folder, file))


def job_of(folder: str) -> str:
    """The folder of the job of the face in a folder."""
    return "/".join(folder.split("/")[:2])


def _name(folder: str, file: str) -> str:
    return f"{job_of(folder)}/pictures/{'-'.join(folder.split('/')[2:])}/{file}"
