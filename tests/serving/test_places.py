"""A few are at it, a few wait, and the others are told to come again."""

import threading

import pytest

from serving import app, limits, serve
from serving.api import events
from serving.errors import Busy
from serving.jobs import uploads
from serving.pictures import gallery
from serving.places import Places


def test_who_finds_no_place_is_told_when_to_come_again():
    places = Places("downloads", 1, waiting=0, patience=60)
    with places.take(), pytest.raises(Busy, match="downloads"), places.take():
        pass
    with places.take():
        pass


def test_who_waits_for_too_long_gives_its_place_to_others():
    places = Places("downloads", 1, waiting=1, patience=0.05)
    with places.take():
        for _ in range(3):
            with pytest.raises(Busy), places.take():
                pass


def test_who_waits_has_its_turn():
    places = Places("downloads", 2, waiting=30, patience=60)
    inside, most = [], []

    def go() -> None:
        with places.take():
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=go) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 20 and max(most) <= 2


def test_threads_are_left_whatever_waits():
    """Each of these holds a thread of the web server for as long as it waits."""
    waiting = {
        "streams": events.MOST_STREAMS,
        "photos": uploads.DECODERS + uploads.WAITING,
        "large photos": 1 + uploads.WAITING_LARGE,
        "pictures": 1 + gallery.WAITING,
        "downloads": 2 + app.WAITING,
        "previews": 1 + app.WAITING,
        "guesses": 1 + limits.SLOW_WAITING,
    }
    assert sum(waiting.values()) < serve.THREADS
