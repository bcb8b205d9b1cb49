"""Why there is no face is told in the language of whoever asks."""

from deep3d.errors import AlignmentFailed, NoFaceFound, PhotoUnreadable
from serving.jobs import reasons
from serving.language import translations
from serving.store.tables import Job, Upload

GERMAN = translations("de").gettext


def test_each_error_of_the_library_has_words_without_details():
    assert reasons.of_error(NoFaceFound("/tmp/x.jpg: none")) == reasons.NO_FACE
    assert "damaged" in reasons.of_error(PhotoUnreadable("x"))
    assert "something went wrong" in reasons.of_error(AlignmentFailed("x"))
    assert "something went wrong" in reasons.of_error(ZeroDivisionError())


def test_the_name_is_filled_in_as_it_is():
    upload = Upload(name="100%(name)s.jpg", error=reasons.NO_FACE)
    assert (reasons.of_photo(upload) or "").startswith("100%(name)s.jpg: no face found")
    assert (reasons.of_photo(upload, GERMAN) or "").startswith("100%(name)s.jpg: kein Gesicht gefunden")
    assert reasons.of_photo(Upload(name="a.jpg")) is None


def test_a_job_says_what_its_first_photo_lacks():
    uploads = [Upload(name="a.jpg", error=reasons.NO_FACE), Upload(name="b.jpg", error=reasons.NO_FACE)]
    assert (reasons.of_job(Job(error=reasons.NO_FACE, uploads=uploads)) or "").startswith("a.jpg: no face")
    assert reasons.of_job(Job(error=reasons.GAVE_UP, uploads=uploads)) == reasons.GAVE_UP
    assert reasons.of_job(Job(uploads=uploads)) is None
