"""Why a photo or a job gave no face: English texts in the database, told to people in their language.

A text may have a place for the name of the photo, which stands in its own column.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import UnidentifiedImageError

from deep3d.errors import NoFaceFound, PhotoTooLarge, PhotoTooSmall, PhotoUnreadable
from serving.language import N_
from serving.store.tables import Job, Upload

NO_FACE = N_("%(name)s: no face found; please use a photo in which a face is larger.")
STRANGER = N_("%(name)s: the face does not seem to be that of the other photos; this photo was left out.")
YOUR_PHOTO = N_("Your photo")
GAVE_UP = N_("This photo stops the program that works on it, again and again; please send another one.")
LEFT_OUT = N_("%(name)s: only the largest faces were made; for the others, please send a part of the photo.")
TOO_LONG = N_("%(name)s: this job takes too long; please send fewer photos or faces at a time.")
OUR_MISTAKE = N_("Something went wrong on our side; please try again.")

_WRONG_KIND = N_("%(name)s: this is no photo that can be read here; please send a JPEG, PNG, HEIC or WebP file.")
_OTHER = N_("%(name)s: something went wrong with this photo; please try another one.")
_OF_ERRORS: dict[type[Exception], str] = {
    NoFaceFound: NO_FACE,
    PhotoUnreadable: N_("%(name)s: this is no photo, or it is damaged; please choose another file."),
    PhotoTooLarge: N_("%(name)s: the photo has too many pixels; please send a smaller version."),
    PhotoTooSmall: N_("%(name)s: the photo has too few pixels; please send a larger version."),
    MemoryError: N_("%(name)s: not enough memory for this photo; please send a smaller version."),
}
_PLACE = "%(name)s"

Translate = Callable[[str], str]


def of_error(error: Exception) -> str:
    """The text for an error over a photo."""
    return next((text for kind, text in _OF_ERRORS.items() if isinstance(error, kind)), _OTHER)


def of_error_named(name: str) -> str:
    """The text for an error over a photo, of which another process tells the class."""
    if name == UnidentifiedImageError.__name__:
        return _WRONG_KIND
    return next((text for kind, text in _OF_ERRORS.items() if kind.__name__ == name), _OTHER)


def of_photo(upload: Upload, translate: Translate = str) -> str | None:
    """Why a photo gave no face, or not all that it shows; None if there is nothing to tell. In English by default."""
    return None if upload.error is None else translate(upload.error).replace(_PLACE, upload.name)


def without_names(job: Job, translate: Translate) -> str | None:
    """As `of_job`, for mails: names of files are the sender's words, which the site sends to nobody."""
    return None if job.error is None else translate(job.error).replace(_PLACE, translate(YOUR_PHOTO))


def of_job(job: Job, translate: Translate = str) -> str | None:
    """Why a job gave no face, which is why its first photo gave none; None if it gave one or is still waiting."""
    if job.error is None:
        return None
    first = next((upload.name for upload in job.uploads if upload.error == job.error), "")
    return translate(job.error).replace(_PLACE, first)
