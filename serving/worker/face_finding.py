"""One batch of photos of many jobs through detector and network: photos by themselves, and those of one person.

What is done for faces differs by quality, so that photos of different qualities share no call of the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

from deep3d import Photo, Reconstruction, SamePerson
from deep3d.errors import NoFaceFound
from serving.jobs import reasons
from serving.jobs.runs import PhotoOutcome, Run
from serving.worker.effort import Account

FacesWanted = Literal["largest", "all"]
Quality = Literal["fast", "normal", "best"]
Faces = list[Reconstruction] | Exception
"""The faces of a photo, the largest first, or why there is none."""
Found = list[Reconstruction] | SamePerson
"""What an item gave."""


class FaceFinder(Protocol):
    """What finds the faces: `deep3d.Reconstructor`, or something quicker in tests."""

    def one_by_one(
        self, photos: Sequence[Photo], faces: FacesWanted = "largest", most: int | None = None
    ) -> Iterable[list[Reconstruction]]:
        """The faces of each photo, the largest first, `most` at most; each photo's as soon as they are there."""
        ...

    def same_person(self, photos: Sequence[Photo]) -> SamePerson:
        """What photos of one person give together.

        Raises: NoFaceFound if no photo shows a face.
        """
        ...

    def with_quality(self, quality: Quality) -> FaceFinder:
        """The same that does more or less for a face."""
        ...


@dataclass(frozen=True)
class Item:
    """A photo on its way to the network, or all photos of one person."""

    run: Run
    photos: tuple[Photo, ...]
    most: int = 1  # faces of a photo that are made
    account: Account = field(default_factory=Account)

    @property
    def faces(self) -> int:
        """How many it may give, which is what it weighs in a batch."""
        return max(self.most, len(self.photos))

    @property
    def due(self) -> float:
        """When its turn is."""
        return self.account.due(self.faces)


def find_faces(finder: FaceFinder, items: Sequence[Item]) -> Iterator[Found]:
    """What each item gives: those of a quality that want the largest face are one batch, each that wants all and each
    person is one of its own. So nobody's result depends on what others in the batch want.

    Of a photo whose faces are all wanted one more is made than it may give, by which it shows that there are more.
    """
    qualities = dict.fromkeys(item.run.quality for item in items)
    found = {
        quality: _find_alike(
            finder.with_quality(cast(Quality, quality)), [item for item in items if item.run.quality == quality]
        )
        for quality in qualities
    }
    for item in items:
        yield next(found[item.run.quality])


def _find_alike(finder: FaceFinder, items: Sequence[Item]) -> Iterator[Found]:
    """What items of one quality give."""
    together = [item.photos[0] for item in items if _joins_others(item)]
    largest = iter(finder.one_by_one(together) if together else ())
    for item in items:
        if _joins_others(item):
            yield next(largest)
        elif item.run.same_person:
            yield _find_person(finder, item)
        else:
            yield from finder.one_by_one(item.photos, "all", item.most + 1)


def _joins_others(item: Item) -> bool:
    """Whether an item is a single photo whose largest face is wanted."""
    return not item.run.same_person and item.run.faces_wanted == "largest"


def shares_of(found: Found | Exception, count: int) -> Sequence[Faces | PhotoOutcome]:
    """What each photo of an item has of what it gave, so many they are: of a person, the surest the face of all."""
    if not isinstance(found, SamePerson):
        return [found] * count
    return [_share(found, number) for number in range(count)]


def _share(found: SamePerson, number: int) -> Faces | PhotoOutcome:
    face = found.faces[number]
    if face is None:
        return []
    if face is found.surest:
        return [found.merged]
    if number in found.copies:
        return PhotoOutcome(error=reasons.COPY)
    return PhotoOutcome(error=reasons.STRANGER if number in found.strangers else None)


def _find_person(finder: FaceFinder, item: Item) -> Found:
    try:
        return finder.same_person(item.photos)
    except NoFaceFound:
        return []
