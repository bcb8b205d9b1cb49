"""Writing videos: H.264 in pieces that are joined in the end, with the sound of another video.

Each piece is a video of its own without sound. A killed command continues after the last complete piece.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deep3d.errors import OutputNotWritable
from deep3d.video.reading import sought

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
TIME_BASE = Fraction(1, 90_000)  # seconds: what the times of all common rates are whole numbers of
_OPTIONS = {
    "crf": "18",
    "preset": "superfast",
    "x264-params": "mbtree=1:rc-lookahead=10",  # what later frames are made of gets more bits, as in slower presets
    "coder": "0",  # no arithmetic coding: a sixth larger, and decoded in half of the time
    "bf": "0",  # frames in their order, so that pieces join
}
"""Of the picture quality and the size of preset veryfast, in half of its time."""
_FEWER = {"x264-params": "mbtree=1:rc-lookahead=2:sync-lookahead=0", "thread_type": "slice"}  # frames in memory
_COPIED = ("aac", "mp3", "ac3", "eac3", "alac", "opus")  # kinds of sound that MP4 holds; others become AAC
_BT709 = 1  # of ISO/IEC 23001-8: colours of high definition
_EARLIER = 1.0  # seconds before what is wanted of the sound, where reading begins: a seek finds the picture's place
_BEHIND = 4  # frames that wait for the encoder
_LARGE = 16_000_000  # pixels of a frame from which none waits: 8K takes 100 MB


def require_video_suffix(path: Path) -> None:
    """Raises: OutputNotWritable for names that do not end like those of videos that are written."""
    if path.suffix.lower() not in SUFFIXES:
        raise OutputNotWritable(f"{path}: the name of a video ends in {', '.join(SUFFIXES)}; choose such a name")


@contextmanager
def written_piece(path: Path, rate: Fraction) -> Iterator[Any]:
    """A function that takes frames (H, W, 3) uint8 with their times in seconds; encoded in a thread of its own.

    All have one size; an odd row or column is left out.

    Raises: OutputNotWritable, as soon as it is known.
    """
    waiting: queue.Queue[tuple[np.ndarray, Fraction] | None] = queue.Queue(_BEHIND)
    failed: list[BaseException] = []
    frames = _taken(waiting)

    def work() -> None:
        try:
            _encode(path, rate, frames)
        except BaseException as error:
            failed.append(error)
            for _ in frames:  # so that nobody waits for room; over at once if the disk was full at the very end
                pass

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def write(pixels: np.ndarray, time: Fraction) -> None:
        if failed:
            raise failed[0]
        waiting.put((pixels, time))
        if pixels.size > 3 * _LARGE:
            waiting.join()

    try:
        yield write
    finally:
        waiting.put(None)
        thread.join()
    if failed:
        raise failed[0]


def _taken(waiting: queue.Queue[tuple[np.ndarray, Fraction] | None]) -> Iterator[tuple[np.ndarray, Fraction]]:
    while (item := waiting.get()) is not None:
        yield item
        del item
        waiting.task_done()


def join_pieces(
    pieces: Sequence[Path], starts: Sequence[Fraction], out: Path, source: Path, start: float, end: float | None
) -> None:
    """Join pieces, each at its time in the source, into a video that begins at `start`, with the source's sound."""
    import av
    import av.error

    with _telling(out), av.open(str(out), "w", format=_format(out), options={"movflags": "faststart"}) as video:
        with av.open(str(pieces[0])) as first:
            picture = video.add_stream_from_template(first.streams.video[0])
        with av.open(str(source), metadata_errors="ignore") as heard:
            sound = _Sound(video, heard, start, end) if heard.streams.audio else None
            for piece, begin in zip(pieces, starts):
                offset = begin - Fraction(start)
                with av.open(str(piece)) as part:
                    for packet in part.demux(part.streams.video[0]):
                        if packet.pts is None:
                            continue
                        base = packet.time_base
                        packet.pts = packet.dts = round(packet.pts + offset / base)
                        if sound is not None:
                            sound.mux_until(packet.pts * base)
                        packet.stream = picture
                        video.mux(packet)
            if sound is not None:
                sound.mux_until(None)


def _encode(path: Path, rate: Fraction, frames: Iterable[tuple[np.ndarray, Fraction]]) -> None:
    import av
    import av.error
    from av.video.reformatter import Colorspace

    with _telling(path), av.open(str(path), "w", format="mp4") as video:
        stream: Any = None
        origin = Fraction(0)
        for pixels, time in frames:
            height, width = (side - side % 2 for side in pixels.shape[:2])
            if stream is None:
                large = _FEWER if width * height > _LARGE else {}
                stream = video.add_stream("libx264", rate=rate, options=_OPTIONS | large)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.codec_context.time_base = TIME_BASE
                for name in ("colorspace", "color_primaries", "color_trc"):
                    setattr(stream.codec_context, name, _BT709)
                origin = time
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            picture.pts, picture.time_base = round((time - origin) / TIME_BASE), TIME_BASE
            video.mux(stream.encode(picture))
        if stream is not None:
            video.mux(stream.encode())


class _Sound:
    """The sound of a video between two times, copied where the container can hold it."""

    def __init__(self, video: OutputContainer, heard: InputContainer, start: float, end: float | None) -> None:
        source = heard.streams.audio[0]
        pictures = heard.streams.video[0]
        self._origin = Fraction(pictures.start_time or 0) * Fraction(pictures.time_base or 1)
        self._start, self._end = Fraction(start), None if end is None else Fraction(end)
        self._copied = source.codec_context.name in _COPIED
        self._video = video
        self._stream: Any = (
            video.add_stream_from_template(source)
            if self._copied
            else video.add_stream("aac", rate=source.codec_context.sample_rate)
        )
        self._packets = self._read(heard, source)
        self._next: tuple[Fraction, Packet] | None = next(self._packets, None)

    def mux_until(self, time: Fraction | None) -> None:
        """Write what is heard before a time of the new video, everything that is left for None."""
        while self._next is not None and (time is None or self._next[0] <= time):
            self._video.mux(self._next[1])
            self._next = next(self._packets, None)

    def _read(self, heard: InputContainer, source: Stream) -> Iterator[tuple[Fraction, Packet]]:
        """Packets of the new video with their times."""
        import av
        import av.error

        if self._start > 0:
            sought(heard, heard.streams.video[0], float(self._start) - _EARLIER)
        packets = heard.demux(source)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                break
            if packet.pts is None:
                continue
            base = Fraction(packet.time_base)
            time = packet.pts * base - self._origin
            if time < self._start:
                continue
            if self._end is not None and time >= self._end:
                break
            shift = round((self._start + self._origin) / base)
            yield from self._as_it_is(packet, shift) if self._copied else self._anew(packet, shift)
        if not self._copied:
            yield from self._timed(self._stream.encode(None))

    def _as_it_is(self, packet: Packet, shift: int) -> Iterator[tuple[Fraction, Packet]]:
        packet.pts = packet.pts - shift  # pyright: ignore[reportOptionalOperand]
        packet.dts = packet.pts
        packet.stream = self._stream
        yield packet.pts * Fraction(packet.time_base), packet

    def _anew(self, packet: Packet, shift: int) -> Iterator[tuple[Fraction, Packet]]:
        import av
        import av.error

        try:
            heard = packet.decode()
        except av.error.FFmpegError:  # a damaged part is not heard
            return
        for samples in heard:
            if samples.pts is not None:
                samples.pts -= shift  # pyright: ignore[reportAttributeAccessIssue]
            yield from self._timed(self._stream.encode(samples))

    def _timed(self, packets: Sequence[Packet]) -> Iterator[tuple[Fraction, Packet]]:
        for packet in packets:
            yield (packet.pts or 0) * Fraction(packet.time_base), packet


def _format(path: Path) -> str:
    return {".mkv": "matroska", ".mov": "mov"}.get(path.suffix.lower(), "mp4")


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn errors of writing into one line for people."""
    import av
    import av.error

    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:100]
        raise OutputNotWritable(f"{path}: cannot be written ({reason}); finished parts are kept, try again") from error
