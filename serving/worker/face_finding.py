"""One batch of photos of many jobs through detector and network: photos by themselves, and those of one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from deep3d import Photo, Reconstruction, SamePerson
from deep3d.errors import NoFaceFound
from serving.jobs import reasons
from serving.jobs.runs import PhotoOutcome, Run

FacesWanted = Literal["largest", "all"]
Faces = list[Reconstruction] | Exception
"""The faces of a photo, the largest first, or why there is none."""
Found = list[Reconstruction] | SamePerson
"""What an item gave."""


class FaceFinder(Protocol):
    """What finds the faces: `deep3d.Reconstructor`, or something quicker in tests."""

    def reconstruct(self, photos: Sequence[Photo], faces: FacesWanted = "largest") -> list[list[Reconstruction]]:
        """The faces of each photo, the largest first."""
        ...

    def same_person(self, photos: Sequence[Photo]) -> SamePerson:
        """What photos of one person give together.

        Raises: NoFaceFound if no photo shows a face.
        """
        ...


@dataclass(frozen=True)
class Item:
    """A photo on its way to the network, or all photos of one person."""

    run: Run
    photos: tuple[Photo, ...]


def find_faces(finder: FaceFinder, items: Sequence[Item]) -> list[Found]:
    """What each item gives; each person is a batch of its own."""
    apart = [item for item in items if not item.run.same_person]
    wanted: FacesWanted = "all" if any(item.run.faces_wanted == "all" for item in apart) else "largest"
    found = iter(finder.reconstruct([item.photos[0] for item in apart], wanted) if apart else [])
    return [
        _find_person(finder, item)
        if item.run.same_person
        else next(found)[: None if item.run.faces_wanted == "all" else 1]
        for item in items
    ]


def shares_of(item: Item, found: Found | Exception) -> Sequence[Faces | PhotoOutcome]:
    """What each photo of an item has of what it gave: of a person, the surest photo the face of all."""
    if not isinstance(found, SamePerson):
        return [found] * len(item.photos)
    shares: list[Faces | PhotoOutcome] = []
    for number, face in enumerate(found.faces):
        if face is None:
            shares.append([])
        elif face is found.surest:
            shares.append([found.merged])
        else:
            shares.append(PhotoOutcome(error=reasons.STRANGER if number in found.strangers else None))
    return shares


def _find_person(finder: FaceFinder, item: Item) -> Found:
    try:
        return finder.same_person(item.photos)
    except NoFaceFound:
        return []
