"""Reading videos: upright frames of square pixels with their times, whatever the file holds.

Variable rates, turned phone videos, 10 bits, interlaced and anamorphic pictures come out alike; damaged parts are left
out.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from deep3d.errors import ExtraMissing, VideoUnreadable
from deep3d.export.video import NO_AV
from deep3d.photo.paths import told_missing

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

T = TypeVar("T")

LARGEST_FRAME = 128_000_000  # pixels
USUAL_RATE = Fraction(25)  # frames in a second of a video that does not say
_AHEAD = 16  # frames that are decoded while others are worked on
_AHEAD_PIXELS = 32_000_000  # of all of them, if that is not less than one
_FAR = 10  # seconds to the next of some wanted frames from which it is sought, not waited for
_SEEKABLE = ("mov", "matroska", "avi", "flv", "mpegts", "asf")
"""Containers that give a frame the same time after a seek. Others are decoded from the beginning: MPEG program streams
guess times anew, and bare streams have none."""
_BACK = (0.001, 2, 8, 30)  # seconds before a time to seek to, in turn, until a picture at or before it is decoded
_SAME_TIME = Fraction(1, 10_000)  # seconds that a time may be off after it was a float
_THREADS = 2  # of the decoder
_MOST_FAILURES = 100  # to read on, from which a video is taken to end there


@dataclass(frozen=True)
class Frame:
    """One frame of a video."""

    number: int  # from 0 for the first frame of the whole video that is read
    time: Fraction  # seconds from the first frame of the video
    pixels: np.ndarray  # (H, W, 3) uint8 sRGB, upright


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself."""

    path: Path
    width: int  # pixels, upright and square
    height: int
    rate: Fraction  # frames in a second, the mean
    duration: float | None  # seconds, None where the file does not say
    time_base: Fraction  # seconds, the unit of its times
    sound: bool

    def frames(self, start: float = 0, end: float | None = None) -> int | None:
        """About how many frames there are between two times in seconds, None where that is not known."""
        if self.duration is None and end is None:
            return None
        last = min(each for each in (self.duration, end) if each is not None)
        return max(1, round(float(self.rate) * (last - start)))


def video_info(path: Path) -> VideoInfo:
    """Size, rate and length of a video, from its header and first frame.

    Raises: VideoUnreadable; ExtraMissing without PyAV.
    """
    with _opened(path) as (container, stream):
        first = next(_pictures(container, stream), None)
        if first is None:
            raise VideoUnreadable(f"{path}: none of its frames can be decoded; get a fresh copy")
        width, height = _upright_size(first, stream)
        if width * height > LARGEST_FRAME:
            raise VideoUnreadable(f"{path}: {width} x {height} pixels are more than 128 megapixels; reduce the video")
        length = stream.duration * stream.time_base if stream.duration and stream.time_base else None
        if length is None and container.duration:
            length = Fraction(container.duration, 1_000_000)
        return VideoInfo(
            path,
            width,
            height,
            Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE),
            float(length) if length else None,
            Fraction(stream.time_base or Fraction(1, 90_000)),
            bool(container.streams.audio),
        )


def read_frames(path: Path, start: float = 0, end: float | None = None) -> Iterator[Frame]:
    """The frames whose times are from `start` up to before `end`, in seconds; decoded ahead, in a thread of its own.

    All have the size of the first one. Times always grow, also where those of the file do not.

    Raises: VideoUnreadable; ExtraMissing without PyAV.
    """
    frames = _frames(path, _exact(start), None if end in (None, math.inf) else _exact(end))
    first = next(frames, None)
    if first is not None:
        most = 3 * _AHEAD_PIXELS // first.pixels.size
        yield from _ahead(chain([first], frames), min(max(most, 1), _AHEAD))


def frames_at(path: Path, times: Sequence[float]) -> Iterator[np.ndarray | None]:
    """The pixels of the frames of some growing times in seconds, None for one that cannot be read again.

    Those near to each other are read in one go: what lies between them is decoded once.

    Raises: VideoUnreadable; ExtraMissing without PyAV.
    """
    pictures: Iterator[_Timed] = iter(())
    last, current = None, None
    for time in map(_exact, times):
        if last is None or time - last > _FAR:
            pictures, current = _timed(path, time), None
        last = time
        while current is None or current.time < time - _SAME_TIME:
            current = next(pictures, None)
            if current is None:
                break
        yield None if current is None or current.time > time + _SAME_TIME else current.upright()


def _exact(seconds: float) -> Fraction:
    """A time to the microsecond: 0.8 as a float is a little more."""
    return Fraction(round(seconds * 1_000_000), 1_000_000)


class _Timed(NamedTuple):
    """A decoded picture."""

    picture: VideoFrame
    time: Fraction  # seconds from the first frame of the video
    size: tuple[int, int]  # width and height of the first one that was decoded, upright

    def upright(self) -> np.ndarray:
        """(H, W, 3) uint8 of that size."""
        return _upright(self.picture, *self.size)


def _frames(path: Path, start: Fraction, end: Fraction | None) -> Iterator[Frame]:
    number = 0
    for each in _timed(path, start):
        if end is not None and each.time >= end:
            return
        if each.time >= start:
            yield Frame(number, each.time, each.upright())
            number += 1


def _timed(path: Path, start: Fraction) -> Iterator[_Timed]:
    """The pictures of a video from one at or before `start` on; times always grow."""
    for back in _BACK:
        if start <= back:
            break
        with _opened(path) as (container, stream):
            if not sought(container, stream, float(start) - back):
                break
            pictures = _with_times(container, stream, known=False)
            first = next(pictures, None)
            if first is not None and first.time <= start:
                yield first
                yield from pictures
                return
    with _opened(path) as (container, stream):
        yield from _with_times(container, stream, known=True)


def _with_times(container: InputContainer, stream: VideoStream, known: bool) -> Iterator[_Timed]:
    """The pictures from here on. A first one without a time is at 0 if this is `known` to be the beginning."""
    origin = _origin(stream)
    step = 1 / Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE)
    last, size = None, None
    for picture in _pictures(container, stream):
        time = None if picture.pts is None else picture.pts * Fraction(picture.time_base or 1) - origin
        if last is None:
            if time is None and not known:
                continue
            time = time or Fraction(0)
        elif time is None or time <= last:
            time = last + step
        last = time
        size = size or _upright_size(picture, stream)
        yield _Timed(picture, time, size)


def _origin(stream: VideoStream) -> Fraction:
    """Seconds, what the container has for the beginning of the video."""
    return Fraction(stream.start_time or 0) * Fraction(stream.time_base or 1)


def sought(container: InputContainer, stream: VideoStream, seconds: float) -> bool:
    """Seek to about a time of the video, and say whether that worked; where it did not, open the container anew."""
    import av
    import av.error

    if container.format.name.split(",")[0] not in _SEEKABLE:
        return False
    place = max(Fraction(0), _exact(seconds)) + _origin(stream)
    try:
        container.seek(int(place / Fraction(stream.time_base or 1)), stream=stream)
    except av.error.FFmpegError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        import av
        import av.error
    except ImportError as error:
        raise ExtraMissing(NO_AV) from error
    if not path.exists():
        raise VideoUnreadable(told_missing(path, "video"))
    if not path.is_file():
        raise VideoUnreadable(f"{path}: not a regular file; give a video")
    if not path.stat().st_size:
        raise VideoUnreadable(f"{path}: the file is empty; give a video")
    try:
        container = av.open(str(path), metadata_errors="ignore")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoUnreadable(f"{path}: not a video, or damaged ({_reason(error)}); get a fresh copy") from error
    with container:
        if not container.streams.video:
            raise VideoUnreadable(f"{path}: it has no picture track, only sound or data; give a video")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise VideoUnreadable(f"{path}: its codec is not supported; convert it to H.264")
        stream.thread_type, stream.codec_context.thread_count = "AUTO", _THREADS
        yield container, stream


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:100]


def _pictures(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decoded pictures, whole ones of interlaced videos; what is damaged is left out."""
    deinterlace: Any = None
    for picture in _decoded(container, stream):
        if deinterlace is None and picture.interlaced_frame:
            deinterlace = _deinterlacer(stream)
        if deinterlace is None:
            yield picture
        else:
            deinterlace.push(picture)
            yield from _pulled(deinterlace)
    if deinterlace is not None:
        deinterlace.push(None)
        yield from _pulled(deinterlace)


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    import av
    import av.error

    packets, failures = container.demux(stream), 0
    while failures < _MOST_FAILURES:
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            return
        except av.error.FFmpegError:  # the container looks for the next sound place by itself
            packets, failures = container.demux(stream), failures + 1
            continue
        try:
            pictures = packet.decode()
        except av.error.FFmpegError:  # of this packet nothing can be seen, the next one may be sound
            continue
        yield from (picture for picture in pictures if picture.width and picture.height)


def _deinterlacer(stream: VideoStream) -> Any:
    import av.filter

    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(template=stream),
        graph.add("bwdif", "mode=send_frame:deint=interlaced"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _pulled(graph: Any) -> Iterator[VideoFrame]:
    import av
    import av.error

    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _quarter_turns(picture: VideoFrame) -> int:
    """Counter-clockwise."""
    return round(picture.rotation / 90) % 4


def _upright_size(picture: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height with square pixels."""
    width, height = max(1, round(picture.width * (stream.sample_aspect_ratio or 1))), picture.height
    return (height, width) if _quarter_turns(picture) % 2 else (width, height)


def _upright(picture: VideoFrame, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8."""
    turns = _quarter_turns(picture)
    size = (height, width) if turns % 2 else (width, height)
    pixels = picture.reformat(width=size[0], height=size[1], format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _ahead(source: Iterator[T], most: int) -> Iterator[T]:
    """What an iterator gives, asked for ahead in a thread of its own."""
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(most)
    stopped = threading.Event()

    def put(*item: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for each in source:
                if not put("item", each):
                    return
            put("end", None)
        except BaseException as error:
            put("error", error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "item":
                yield value
            elif kind == "error":
                raise value
            else:
                return
    finally:
        stopped.set()
        thread.join()
