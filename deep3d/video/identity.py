"""One identity a person from all frames of a video, and one camera; both stay fixed while the rest is fitted.

A single frame says little of the shape of a head and much that is wrong. Over a clip the person turns and speaks, and
the surest frames of every view are fitted together, each with its own pose and expression. Landmarks of all frames err
alike, though; so a few frames from different sides are then fitted to their colours too, with one identity. With it
held, pose and expression have fewer ways to go wrong, and what they say is steady.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from deep3d.alignment import align
from deep3d.camera import DEEP3D_CAMERA
from deep3d.face_model import FaceModel
from deep3d.fitting import LandmarkBasis, trusted_deviation
from deep3d.fitting.held import fit_held, held_basis
from deep3d.fitting.landmarks import Priors, fit_landmarks
from deep3d.fitting.photometric import COLOUR_PRIORS, PRIORS, SeenLandmarks, View, fit_person_colours
from deep3d.fitting.together import fit_together
from deep3d.landmarks import five_points
from deep3d.pipeline.same_person import photo_weights, share_identity
from deep3d.runtime.cores import usable_cores
from deep3d.video.heads import HeadTrack, Person
from deep3d.video.sightings import Sightings

MOST_FRAMES = 32  # that one identity is fitted to
IDENTITY = 0.9
"""Deviation of what is regressed of a person, in standard deviations of the model: believed once, not per frame."""
VIEW = 12.0  # degrees of yaw and pitch that count as one view
_EXPRESSION = 0.12
"""Of full weight, about the regressed expression: half as far as in a photo, since the identity is known. Three drawn
clips come nearer to the truth by 2% than with 0.25, and portraits, which are single photos, lose less than 1%."""
_PERSPECTIVE = 0.004  # per decimetre, how far perspectives may be from those of the video's camera
_HELD = 0.05  # standard deviations of the model that an identity may be off when it is held
_CHUNK = 64  # frames that are fitted at a time


@dataclass(frozen=True)
class Cast:
    """The people of a video, and its camera."""

    people: tuple[Person, ...]
    focal_length: float  # pixels of the video


def find_cast(basis: LandmarkBasis, seen: Sightings) -> Cast:
    """The people and the camera of a video, from everything seen in it, which is at least one face."""
    people, focal_lengths, weights = [], [], []
    for number in np.unique(seen.person).tolist():
        mine = seen.chosen(np.flatnonzero(seen.person == number))
        chosen = mine.chosen(surest_views(mine))
        weight = photo_weights(chosen.error)
        shared = share_identity(chosen.coefficients, weight)
        everybody = np.zeros(len(chosen), np.int64)
        priors = Priors(identity=IDENTITY * len(chosen) ** 0.5)
        fit = fit_together(basis, chosen.points, trusted_deviation(chosen.deviation), shared, everybody, priors)
        people.append(Person(number, fit.coefficients.identity[0], fit.coefficients.albedo[0]))
        zoom = chosen.crops[:, 5] / chosen.crops[:, 3]
        focal_lengths += (zoom * [camera.focal_length_px for camera in fit.cameras]).tolist()
        weights += [len(mine) / len(chosen)] * len(chosen)
    return Cast(tuple(people), _weighted_median(np.array(focal_lengths), np.array(weights)))


def with_colours(
    cast: Cast,
    model: FaceModel,
    basis: LandmarkBasis,
    seen: Sightings,
    pixels_of: Callable[[Sequence[int]], Iterable[np.ndarray | None]],
    frames: int,
) -> Cast:
    """The same with people fitted to the colours of so many frames each.

    `pixels_of` gives the pixels of frames with growing numbers, None for one that cannot be read.
    """
    people = {person.number: person for person in cast.people}
    views: dict[int, list[View]] = {number: [] for number in people}
    chosen = np.sort(np.concatenate([_different_sides(seen, number, frames) for number in people]))
    numbers = np.unique(seen.frame[chosen]).tolist()
    for number, pixels in zip(numbers, pixels_of(numbers), strict=True):
        if pixels is None:
            continue
        for row in chosen[seen.frame[chosen] == number]:
            person = people[int(seen.person[row])]
            views[person.number].append(_view(person, basis, seen.chosen(np.array([row])), pixels))

    with ThreadPoolExecutor(usable_cores()) as pool:
        coloured = pool.map(lambda person: _coloured(person, views[person.number], model), cast.people)
        return replace(cast, people=tuple(coloured))


def _coloured(person: Person, views: Sequence[View], model: FaceModel) -> Person:
    """The person fitted to the colours of some views.

    What is regressed of its looks counts less than once, not in each view. For identity this comes on top of
    `shared_priors`: without it drawn clips have 0.83 instead of 0.81 of the error of single frames.
    """
    more = len(views) ** 0.5
    priors = replace(PRIORS, identity=more * PRIORS.identity)
    colour_priors = replace(COLOUR_PRIORS, albedo=more * COLOUR_PRIORS.albedo)
    fits = [fit for fit in fit_person_colours(views, model, priors, colour_priors) if fit.kept] if views else []
    if not fits:
        return person
    shared = fits[0].coefficients
    return replace(person, identity=shared.identity[0], albedo=shared.albedo[0])


def _different_sides(seen: Sightings, person: int, count: int) -> np.ndarray:
    """Rows of so many sure frames of a person from different sides."""
    own = np.flatnonzero(seen.person == person)
    views = own[surest_views(seen.chosen(own))]
    order = views[np.argsort(seen.coefficients.rotation[views, 1], kind="stable")]
    return order[np.unique(np.linspace(0, len(order) - 1, count).astype(int))]


def _view(person: Person, basis: LandmarkBasis, seen: Sightings, pixels: np.ndarray) -> View:
    """A person's face in one frame (R = 1), as a fit to colours wants it."""
    old = seen.crop(0)
    points = old.to_photo(seen.points[0])
    crop = align(pixels, five_points(points[:68]))
    placed = crop.to_crop(points)
    deviation = trusted_deviation(seen.deviation * (crop.scale / old.scale))
    believed = replace(seen.coefficients, identity=person.identity[None])
    held = fit_landmarks(basis, placed[None], deviation, believed, Priors(identity=_HELD))
    start = replace(held.coefficients, identity=person.identity[None])
    return View(crop.image, SeenLandmarks(basis, placed, deviation[0]), believed, start, held.cameras[0])


def surest_views(seen: Sightings) -> np.ndarray:
    """Rows of one person's surest frames, spread over the views that there are of it."""
    yaw, pitch = np.degrees(seen.coefficients.rotation[:, 1]), np.degrees(seen.coefficients.rotation[:, 0])
    view = np.rint(yaw / VIEW).astype(np.int64) * 1000 + np.rint(pitch / VIEW).astype(np.int64)
    order = np.argsort(seen.error, kind="stable")
    turn = np.empty(len(seen), np.int64)  # the first of each view, then the second of each, and so on
    for each in np.unique(view):
        rows = order[view[order] == each]
        turn[rows] = np.arange(len(rows))
    return np.sort(np.lexsort([seen.error, turn])[:MOST_FRAMES])


def follow_person(
    basis: LandmarkBasis, person: Person, focal_length: float, seen: Sightings, times: np.ndarray
) -> HeadTrack:
    """The head of one person in all its frames; `times` (R,) are those of the rows of `seen`, which are all its own."""
    own = held_basis(basis, person.identity)
    parts = []
    for start in range(0, len(seen), _CHUNK):
        rows = seen.chosen(np.arange(start, min(start + _CHUNK, len(seen))))
        state = fit_held(
            own, rows.points, trusted_deviation(rows.deviation), rows.coefficients, _priors(rows, focal_length)
        )
        time = times[start : start + _CHUNK]
        parts.append(HeadTrack.of(person, rows.frame, time, state, rows.coefficients.lighting, rows.error, rows.crops))
    whole = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0]) if name != "person"
    }
    return replace(parts[0], **whole | {"angles": np.unwrap(whole["angles"], axis=0)})


def _priors(rows: Sightings, focal_length: float) -> Priors:
    """What is believed of the perspective of each face: with one lens, it grows as the face does."""
    distance = DEEP3D_CAMERA.distance - rows.coefficients.translation[:, 2]
    zoom = rows.crops[:, 5] / rows.crops[:, 3]
    scale = zoom * DEEP3D_CAMERA.focal_length_px / distance  # pixels of the video for a decimetre
    return Priors(expression=_EXPRESSION, perspective_mean=scale / focal_length, perspective=_PERSPECTIVE)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
