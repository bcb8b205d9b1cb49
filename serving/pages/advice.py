"""What to do about a result: the library's warnings in the words of the site, each with advice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from serving.language import N_

_ADVICE: tuple[tuple[str, str, str], ...] = (
    (
        "The face is only",
        N_("The face is small in the photo."),
        N_("Use a photo in which it is larger, or come closer."),
    ),
    (
        "The photo's edge cuts",
        N_("Part of the face is outside the photo, and had to be guessed."),
        N_("Use a photo with the whole head and some room around it."),
    ),
    (
        "The head is turned far",
        N_("The head is turned to the side, so its far side had to be guessed."),
        N_("Use a photo from the front, or send several and choose “One face from all photos”."),
    ),
    (
        "The mouth seems covered",
        N_("Something covers the mouth, so its shape had to be guessed."),
        N_("Use a photo without a mask, hand or scarf in front of the mouth."),
    ),
    (
        "The photo was taken from",
        N_("The camera was very close: noses look larger and ears smaller."),
        N_("Step back to an arm’s length or two, and zoom in."),
    ),
    (
        "The face is hard to read",
        N_("The face is hard to see, perhaps blurred, dark or covered."),
        N_("Try a sharp photo in soft light with the hair away from the face."),
    ),
    (
        "The face does not seem to be the same person",
        N_("One of the photos seems to show somebody else."),
        N_("Leave that photo out and try again."),
    ),
    (
        "No two of these photos",
        N_("Each of the photos seems to show somebody else, so the face is that of one photo."),
        N_("Use photos of one person, sharp and in soft light."),
    ),
    (
        "The fit to this photo failed",
        N_("The fit to the details of this photo failed, so the face is less exact."),
        N_("Try another photo of the same face."),
    ),
    (
        "The surface would have folded",
        N_("The surface would have folded, so it was smoothed in part."),
        N_("Try a sharp photo in soft light with the hair away from the face."),
    ),
    (
        "The photo file is cut off",
        N_("The photo file is cut off, so part of the picture may be missing."),
        N_("Send the original file again."),
    ),
)
"""How a warning begins, what we say, and what to do about it."""

_LEFT_OUT = " is left out: "  # after the name of a photo

_QUALITY = (
    (1.5, N_("Very close to the photo")),
    (2.5, N_("Close to the photo")),
    (4.0, N_("Roughly like the photo")),
)
_POOR = N_("A guess: use it with care")

Translate = Callable[[str], str]


def advise(warnings: Sequence[str], translate: Translate) -> list[tuple[str, str]]:
    """What is wrong with a face, and what to do about it; "" for a warning that is not known here.

    The page itself names the photos of a person that were left out, because it knows all photos.
    """
    told = [re.sub(r"\s+", " ", warning) for warning in warnings if _LEFT_OUT not in warning]
    return [_advice(warning, translate) for warning in told]


def quality(expected_error: float | None, translate: Translate) -> str:
    """How like the photo a face is, in words; "" where that is not known."""
    if expected_error is None:
        return ""
    return translate(next((text for limit, text in _QUALITY if expected_error <= limit), _POOR))


def _advice(warning: str, translate: Translate) -> tuple[str, str]:
    for beginning, text, what_to_do in _ADVICE:
        if warning.startswith(beginning):
            return translate(text), translate(what_to_do)
    return warning, ""
