"""Live pictures of a camera, or of a video played at its own speed.

Each request gets the newest picture. Pictures that arrive while the last one is processed are skipped, so that the
display is never late, however slow the machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deep3d.errors import CameraUnavailable, ExtraMissing
from deep3d.video.reading import read_frames

NO_OPENCV = "cameras and windows need the package opencv-python; pip install 'deep3d[webcam]'"
PATIENCE = 5.0  # seconds without a picture, after which a camera counts as gone
Timed = tuple[float, np.ndarray]
"""Seconds, which grow, and a picture (H, W, 3) uint8 RGB."""


@contextmanager
def camera_pictures(number: int) -> Iterator[Iterator[Timed]]:
    """The newest pictures of a camera, by the system's number of it.

    Raises: ExtraMissing without OpenCV; CameraUnavailable, also while it runs.
    """
    try:
        import cv2  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ExtraMissing(NO_OPENCV) from error
    with _quiet(cv2):
        camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise CameraUnavailable(
                f"camera {number}: not found or in use; close the program that uses it, or choose another with --camera"
            )

        def pictures() -> Iterator[Timed]:
            while True:
                there, picture = camera.read()
                if not there:
                    raise CameraUnavailable(f"camera {number}: it sends no more pictures; plug it in again")
                yield time.monotonic(), cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

        with newest(pictures) as given:
            yield given
    finally:
        camera.release()


@contextmanager
def video_pictures(path: Path) -> Iterator[Iterator[Timed]]:
    """The newest pictures of a video that is played at its own speed, once.

    Raises: VideoUnreadable; ExtraMissing without PyAV.
    """

    def pictures() -> Iterator[Timed]:
        began = time.monotonic()
        for frame in read_frames(path):
            time.sleep(max(0.0, began + float(frame.time) - time.monotonic()))
            yield float(frame.time), frame.pixels

    with newest(pictures) as given:
        yield given


@contextmanager
def newest(source: Callable[[], Iterator[Timed]]) -> Iterator[Iterator[Timed]]:
    """Iterate over a source in a thread of its own, newest item first; items not fetched in time are dropped.

    Raises: what the source raises; CameraUnavailable if nothing comes for some seconds.
    """
    place = _Newest()

    def work() -> None:
        try:
            for each in source():
                if not place.put(each):
                    return
            place.end(None)
        except BaseException as error:
            place.end(error)

    thread = threading.Thread(target=work, name="pictures", daemon=True)
    thread.start()
    try:
        yield place.each()
    finally:
        place.close()
        thread.join(PATIENCE)


class _Newest:
    """A slot for one item between two threads; a newer item replaces an older one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Timed | None = None
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def put(self, item: Timed) -> bool:
        """Offer an item; whether the receiver still wants more."""
        with self._changed:
            self._waiting = item
            self._changed.notify()
            return not self._closed

    def end(self, error: BaseException | None) -> None:
        """Tell the receiver that nothing more comes."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def close(self) -> None:
        """Tell the sender that nobody wants more."""
        with self._changed:
            self._closed = True

    def each(self) -> Iterator[Timed]:
        """The items, until the sender ends."""
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._waiting is not None or self._ended, PATIENCE):
                    raise CameraUnavailable(f"no picture arrived for {PATIENCE:.0f} seconds; check the camera")
                item, self._waiting = self._waiting, None
                if item is None:
                    if self._error is not None:
                        raise self._error
                    return
            yield item


@contextmanager
def _quiet(cv2) -> Iterator[None]:
    """Silence OpenCV, which reports each attempt on standard error; our error says it in one line."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
