"""Drawn clips, their files, and what is made of them once for all tests."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deep3d import Reconstructor, default_face_model
from deep3d.synthetic.clips import crossing_clip, talking_clip
from deep3d.video.drawing import draw_video
from deep3d.video.request import VideoRequest

av = pytest.importorskip("av")

SIZE = (480, 270)
FRAMES = 24


@pytest.fixture(scope="session")
def write_clip() -> Callable[..., Path]:
    """A function that writes frames (H, W, 3) into a video, with a tone as its sound if that is wished."""

    def write(path, frames, rate=30, sound=False, codec="libx264", format="yuv420p", times=None, **options):
        with av.open(str(path), "w") as video:
            stream = video.add_stream(codec, rate=rate, options={"crf": "14", "preset": "veryfast", **options})
            voice = video.add_stream("aac", rate=44100, layout="mono") if sound else None
            for number, pixels in enumerate(frames):
                if number == 0:
                    stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], format
                    if times is not None:
                        stream.codec_context.time_base = Fraction(1, 90_000)
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                if times is not None:
                    picture.pts, picture.time_base = round(times[number] * 90_000), Fraction(1, 90_000)
                video.mux(stream.encode(picture))
            video.mux(stream.encode())
            if voice is not None:
                _tone(video, voice, seconds=len(frames) / rate)
        return path

    return write


def _tone(video, voice, seconds):
    samples = 0.3 * np.sin(2 * np.pi * 330 * np.arange(int(44100 * seconds)) / 44100).astype(np.float32)
    for start in range(0, len(samples), 1024):
        part = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
        part.sample_rate, part.pts, part.time_base = 44100, start, Fraction(1, 44100)
        video.mux(voice.encode(part))
    video.mux(voice.encode())


@pytest.fixture(scope="session")
def reconstructor() -> Reconstructor:
    return Reconstructor.load()


@pytest.fixture(scope="session")
def talking():
    """One person who talks and turns, every third of 90 frames: (F, H, W, 3) and what is true."""
    clip = talking_clip(default_face_model(), 3 * FRAMES, size=SIZE)
    return clip, [clip.frame(number) for number in range(0, 3 * FRAMES, 3)]


@pytest.fixture(scope="session")
def crossing():
    """Three people who cross, leave and come back, in every second of 160 frames."""
    clip = crossing_clip(default_face_model(), 160, size=(640, 360))
    numbers = [*range(0, 160, 2)]
    return clip, numbers, [clip.frame(number) for number in numbers]


@pytest.fixture(scope="session")
def drawn(talking, reconstructor, write_clip, tmp_path_factory):
    """The talking clip drawn, with all that comes out beside the video."""
    folder = tmp_path_factory.mktemp("drawn")
    video = write_clip(folder / "talk.mp4", talking[1], rate=10, sound=True)
    request = VideoRequest(
        video,
        folder / "out.mp4",
        kind="3d",
        table=folder / "curves.csv",
        glb=folder / "face.glb",
        live_link=folder / "live.csv",
    )
    told: list[tuple[str, int, int | None]] = []
    report = draw_video(reconstructor, request, lambda *each: told.append(each))
    return SimpleNamespace(folder=folder, video=video, request=request, report=report, told=told)
