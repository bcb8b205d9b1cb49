"""`deep3d video` as people call it."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("av")


def call(*arguments):
    done = subprocess.run([sys.executable, "-m", "deep3d", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, " ".join(done.stderr.split())


def test_a_video_is_drawn(talking, write_clip, tmp_path):
    video = write_clip(tmp_path / "a.mp4", talking[1][:6], rate=10)
    code, err = call(
        "video", video, "-o", "pose", "--out", tmp_path / "b.mp4", "--smooth", "window", "--quality", "fast"
    )
    assert code == 0, err
    assert "6 frames, face 1 in 6" in err and (tmp_path / "b.mp4").stat().st_size > 1000


def test_a_video_without_faces_gives_1_and_what_is_no_video_2(write_clip, tmp_path):
    wall = write_clip(tmp_path / "wall.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 3)
    code, err = call("video", wall, "--out", tmp_path / "b.mp4")
    assert code == 1 and "no face in any frame" in err
    (tmp_path / "text.mp4").write_text("no video")
    code, err = call("video", tmp_path / "text.mp4", "--out", tmp_path / "b.mp4")
    assert code == 2 and "text.mp4: not a video" in err and "Traceback" not in err
    code, err = call("video", wall, "-o", "ply", "--out", tmp_path / "b.mp4")
    assert code == 2 and "unknown" in err
    assert not (tmp_path / "b.mp4").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--end", "inf"), ("--end", "nan"), ("--start", "nan"), ("--start", "inf")]
)
def test_what_is_no_time_is_told(option, value, tmp_path):
    code, err = call("video", tmp_path / "a.mp4", "--out", tmp_path / "b.mp4", option, value)
    told = "greater than or equal to 0" if value == "nan" else "is not a time; give seconds"
    assert code == 2 and told in err and "Traceback" not in err
