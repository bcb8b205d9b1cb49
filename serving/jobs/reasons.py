"""Why a photo or a job failed: English texts in the database, shown to people in their language.

A text may have a placeholder for the name of the photo, which is in its own column.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import UnidentifiedImageError

from deep3d.errors import NoFaceFound, PhotoTooLarge, PhotoTooSmall, PhotoUnreadable
from serving.language import N_
from serving.store.tables import Job, Upload

NO_FACE = N_("%(name)s: no face found; please use a photo with a larger face.")
STRANGER = N_("%(name)s: this seems to be a different person than in the other photos; this photo was not used.")
COPY = N_("%(name)s: this shows almost the same picture as another photo; it was used only once.")
YOUR_PHOTO = N_("Your photo")
GAVE_UP = N_("This photo repeatedly crashes the program that processes it; please send another one.")
LEFT_OUT = N_("%(name)s: only the largest faces were reconstructed; for the others, please send a part of the photo.")
TOO_LONG = N_("%(name)s: this job takes too long; please send fewer photos or faces at a time.")
OUR_MISTAKE = N_("Something went wrong on our side; please try again.")

_WRONG_KIND = N_("%(name)s: this file format is not supported; please send a JPEG, PNG, HEIC or WebP file.")
_OTHER = N_("%(name)s: something went wrong with this photo; please try another one.")
_OF_ERRORS: dict[type[Exception], str] = {
    NoFaceFound: NO_FACE,
    PhotoUnreadable: N_("%(name)s: this file is not a photo, or it is damaged; please choose another file."),
    PhotoTooLarge: N_("%(name)s: the photo has too many pixels; please send a smaller version."),
    PhotoTooSmall: N_("%(name)s: the photo has too few pixels; please send a larger version."),
    MemoryError: N_("%(name)s: not enough memory for this photo; please send a smaller version."),
}
_PLACE = "%(name)s"

Translate = Callable[[str], str]


def of_error(error: Exception) -> str:
    """The text for an error of a photo."""
    return next((text for kind, text in _OF_ERRORS.items() if isinstance(error, kind)), _OTHER)


def of_error_named(name: str) -> str:
    """The text for an error of a photo, by the name of its class, from another process."""
    if name == UnidentifiedImageError.__name__:
        return _WRONG_KIND
    return next((text for kind, text in _OF_ERRORS.items() if kind.__name__ == name), _OTHER)


def of_photo(upload: Upload, translate: Translate = str) -> str | None:
    """Why a photo gave no face, or not all of its faces; otherwise None. In English by default."""
    return None if upload.error is None else translate(upload.error).replace(_PLACE, upload.name)


def without_names(job: Job, translate: Translate) -> str | None:
    """Like `of_job`, for mails: file names are text of the sender, which the site never mails."""
    return None if job.error is None else translate(job.error).replace(_PLACE, translate(YOUR_PHOTO))


def of_job(job: Job, translate: Translate = str) -> str | None:
    """Why a job gave no face, from its first photo; None if it gave one or is still waiting."""
    if job.error is None:
        return None
    first = next((upload.name for upload in job.uploads if upload.error == job.error), "")
    return translate(job.error).replace(_PLACE, first)
