"""Videos of every kind come out as upright frames with their times."""

import sys
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from deep3d.errors import VideoUnreadable
from deep3d.video import reading
from deep3d.video.drawing import _batches
from deep3d.video.reading import frames_at, read_frames, video_info

av = pytest.importorskip("av")


def pictures(count=12, height=96, width=160):
    """A bright square that goes to the right on a gradient: each frame can be told from the others."""
    frames = []
    for number in range(count):
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[..., 1] = np.linspace(40, 160, height)[:, None]
        pixels[20:50, 10 * number : 10 * number + 20] = (220, 60, 40)
        frames.append(pixels)
    return frames


def place(pixels):
    """The first column of the square."""
    return int(np.argmax(pixels[35, :, 0] > 140))


def test_frames_come_in_their_order_with_their_times(write_clip, tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(), rate=30)
    frames = [*read_frames(path)]
    assert [frame.number for frame in frames] == list(range(12))
    assert [round(float(frame.time) * 30, 3) for frame in frames] == list(range(12))
    assert [place(frame.pixels) for frame in frames] == pytest.approx([10 * n for n in range(12)], abs=2)
    info = video_info(path)
    assert (info.width, info.height, info.rate, info.sound) == (160, 96, 30, False)
    assert info.frames() == 12


def test_a_part_of_a_video(write_clip, tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(), rate=10, g="4")
    frames = [*read_frames(path, 0.35, 0.8)]
    assert [round(float(frame.time), 3) for frame in frames] == [0.4, 0.5, 0.6, 0.7]
    assert [place(frame.pixels) for frame in frames] == pytest.approx([40, 50, 60, 70], abs=2)


def test_times_of_variable_rates_are_the_videos(write_clip, tmp_path):
    times = [0.0, 0.1, 0.15, 0.5, 0.52, 1.0]
    path = write_clip(tmp_path / "a.mp4", pictures(6), times=times, bf="0")
    assert [round(float(frame.time), 3) for frame in read_frames(path)] == times


def test_single_frames_are_those_of_the_whole_video_and_near_ones_are_read_in_one_go(write_clip, tmp_path, monkeypatch):
    # given a video whose pictures all build on the first one, but for a few after a pause
    times = [n / 30 for n in range(8)] + [20 + n / 30 for n in range(4)]
    path = write_clip(tmp_path / "a.mp4", pictures(), times=times, bf="0", force_key_frames="20")
    everything = [*read_frames(path)]
    opened = []
    monkeypatch.setattr(reading, "_opened", lambda path, opened_=reading._opened: opened.append(path) or opened_(path))
    # when some of them are asked for, one of which does not exist
    wanted = [float(everything[n].time) for n in (2, 5, 6)] + [0.21, float(everything[10].time)]
    found = [*frames_at(path, wanted)]
    # then they are the same pictures, and those that lie near to each other cost one look into the file
    assert found[3] is None
    for n, pixels in zip((2, 5, 6, 10), [*found[:3], found[4]]):
        np.testing.assert_array_equal(pixels, everything[n].pixels)
    assert len(opened) == 2


BITS = 9  # of the numbers of frames that pictures show


def numbered_video(path, codec, uneven=False, **options):
    """300 pictures that show their number in black and white columns, key frames four seconds apart."""
    times = np.cumsum([0, *np.tile([1, 1, 3, 2], 75)])[:300] / 30 if uneven else np.arange(300) / 30
    with av.open(str(path), "w") as video:
        stream = video.add_stream(codec, rate=30, options={"g": "120", **options})
        stream.width, stream.height, stream.pix_fmt = 8 * BITS, 48, "yuv420p"
        if uneven:
            stream.codec_context.time_base = Fraction(1, 90_000)
        for number, time in enumerate(times):
            columns = np.repeat([255 * (number >> bit & 1) for bit in range(BITS)], 8).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(np.broadcast_to(columns[None, :, None], (48, 8 * BITS, 3))), format="rgb24"
            )
            if uneven:
                picture.pts, picture.time_base = round(time * 90_000), Fraction(1, 90_000)
            video.mux(stream.encode(picture))
        video.mux(stream.encode())
    return path


def number_shown(pixels):
    return sum(int(pixels[24, 8 * bit + 4].mean() > 128) << bit for bit in range(BITS))


H264 = {"crf": "10", "preset": "veryfast"}


@pytest.mark.parametrize(
    ("name", "codec", "uneven", "options"),
    [
        ("a.mp4", "libx264", False, H264 | {"bf": "2"}),
        ("a.mp4", "libx264", True, H264 | {"bf": "2"}),
        ("a.mkv", "libx264", False, H264 | {"bf": "2"}),
        ("a.mkv", "libx264", True, H264 | {"bf": "2"}),
        ("a.ts", "libx264", False, H264 | {"bf": "2"}),
        ("a.ts", "libx264", True, H264 | {"bf": "2"}),
        ("a.ts", "mpeg2video", False, {"b": "3000000", "bf": "2"}),
        ("a.mpg", "mpeg2video", False, {"b": "3000000"}),
        ("a.mpg", "mpeg2video", False, {"b": "3000000", "bf": "2"}),
        ("a.h264", "libx264", False, H264 | {"bf": "0"}),
        ("a.avi", "mpeg4", False, {"b": "2000000"}),
        ("a.flv", "libx264", False, H264 | {"bf": "2"}),
        ("a.wmv", "wmv2", False, {"b": "2000000"}),
    ],
)
def test_read_from_anywhere_frames_are_those_of_the_whole_video(name, codec, uneven, options, tmp_path):
    path = numbered_video(tmp_path / name, codec, uneven, **options)
    everything = [(frame.time, number_shown(frame.pixels)) for frame in read_frames(path)]
    assert [number for _, number in everything] == [*range(300)]
    for first in (1, 59, 119, 120, 121, 200, 299):
        part = [(frame.time, number_shown(frame.pixels)) for frame in read_frames(path, everything[first][0] - 1e-6)]
        assert part == everything[first:], first
    wanted = [float(everything[number][0]) for number in (3, 130, 290)]
    assert [number_shown(pixels) for pixels in frames_at(path, wanted) if pixels is not None] == [3, 130, 290]


def test_a_video_that_cannot_be_sought_is_read_from_its_beginning(tmp_path, monkeypatch):
    path = numbered_video(tmp_path / "a.mp4", "libx264", False, **H264)
    monkeypatch.setattr(reading, "_SEEKABLE", ())
    assert number_shown(next(read_frames(path, 8.0)).pixels) == 240
    assert [*read_frames(path, 8.0, float("inf"))][-1].number == 59


@pytest.mark.parametrize(("turn", "upright"), [(90, 1), (-90, -1), (180, 2)])
def test_turned_videos_are_turned_upright(turn, upright, tmp_path):
    frame = pictures(5)[4]
    with av.open(str(tmp_path / "a.mp4"), "w") as video:
        stream = video.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write turned videos")
        stream.set_display_rotation(turn)
        video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        video.mux(stream.encode())
    (read,) = read_frames(tmp_path / "a.mp4")
    expected = np.rot90(frame, upright)
    assert read.pixels.shape == expected.shape
    assert np.abs(read.pixels.astype(int) - expected).mean() < 4
    info = video_info(tmp_path / "a.mp4")
    assert (info.height, info.width) == expected.shape[:2]


def test_ten_bits_are_as_good_as_eight(write_clip, tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(3), format="yuv420p10le")
    (first, *_) = read_frames(path)
    assert np.abs(first.pixels.astype(int) - pictures(1)[0]).mean() < 4


def test_interlaced_pictures_become_whole_ones(tmp_path):
    frames = pictures(10)
    with av.open(str(tmp_path / "a.mkv"), "w") as video:
        stream = video.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct", "b": "4000000"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for one, other in pairwise(frames):  # each picture has the rows of two moments
            woven = one.copy()
            woven[1::2] = other[1::2]
            video.mux(stream.encode(av.VideoFrame.from_ndarray(woven, format="rgb24")))
        video.mux(stream.encode())
    read = [*read_frames(tmp_path / "a.mkv")]
    assert len(read) >= 8
    for frame in read[2:-1]:
        square = frame.pixels[24:46, :, 0].astype(int)
        assert np.abs(np.diff(square, axis=0)).max() < 90  # no comb


def test_120_frames_a_second_are_all_read(write_clip, tmp_path):
    path = write_clip(tmp_path / "fast.mp4", pictures(24), rate=120)
    times = [float(frame.time) for frame in read_frames(path)]
    assert times == pytest.approx([number / 120 for number in range(24)], abs=1e-4)
    assert video_info(path).rate == 120


def test_8k_is_read_a_frame_at_a_time(tmp_path, write_clip):
    path = write_clip(
        tmp_path / "8k.mp4", [np.full((4320, 7680, 3), 40 * n, np.uint8) for n in range(3)], preset="ultrafast"
    )
    info = video_info(path)
    assert (info.width, info.height) == (7680, 4320)
    batches = [*_batches(read_frames(path), 240)]
    assert [len(batch) for batch in batches] == [1, 1, 1]  # no more wait in memory together
    assert all(frame.pixels.shape == (4320, 7680, 3) for batch in batches for frame in batch)


@pytest.mark.parametrize(("most", "pixels"), [(16, 32_000_000), (3, 3 * 160 * 96), (1, 1)])
def test_as_many_frames_are_decoded_ahead_as_there_is_room_for(most, pixels, write_clip, tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mp4", pictures())
    asked = []
    monkeypatch.setattr(reading, "_AHEAD_PIXELS", pixels)
    monkeypatch.setattr(reading, "_ahead", lambda source, most: asked.append(most) or source)
    assert len([*read_frames(path)]) == 12
    assert asked == [most]


def test_odd_pixels_become_square(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as video:
        stream = video.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        video.mux(stream.encode(av.VideoFrame.from_ndarray(pictures(1)[0], format="rgb24")))
        video.mux(stream.encode())
    (frame,) = read_frames(tmp_path / "a.mp4")
    assert frame.pixels.shape == (96, 213, 3)


def test_a_damaged_video_gives_what_is_left_of_it(write_clip, tmp_path):
    grain = np.random.default_rng(1).integers(0, 60, (40, 96, 160, 3), np.uint8)
    path = write_clip(tmp_path / "a.mkv", [a // 2 + b for a, b in zip(pictures(40), grain)], g="5")
    content = bytearray(path.read_bytes())
    assert len(content) > 100_000
    middle = len(content) // 2
    content[middle : middle + 400] = np.random.default_rng(0).bytes(400)
    path.write_bytes(content)
    frames = [*read_frames(path)]
    assert 20 <= len(frames) <= 40
    assert all(a.time < b.time for a, b in pairwise(frames))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(bytes(content[:middle]))
    assert 10 <= len([*read_frames(cut)]) < 40


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"no video at all" * 99, "not a video"),
        ("folder", "not a regular file"),
    ],
)
def test_what_is_no_video_is_told_in_one_line(content, wrong, tmp_path):
    path = tmp_path / "a.mp4"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    for read in (video_info, lambda path: [*read_frames(path)]):
        with pytest.raises(VideoUnreadable, match=wrong) as caught:
            read(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_a_video_that_is_cut_off_before_its_index_is_told(write_clip, tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(40))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(VideoUnreadable):
        video_info(path)


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as video:
        voice = video.add_stream("aac", rate=44100, layout="mono")
        part = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        part.sample_rate = 44100
        video.mux(voice.encode(part))
        video.mux(voice.encode())
    with pytest.raises(VideoUnreadable, match="no picture track"):
        video_info(tmp_path / "a.m4a")


def test_without_pyav_the_package_is_named(monkeypatch, tmp_path):
    from deep3d.errors import ExtraMissing

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExtraMissing, match=r"deep3d\[video\]"):
        video_info(tmp_path / "a.mp4")
