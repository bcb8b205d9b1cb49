"""Live faces: one frame at a time, the newest picture first, and what VTuber programs are sent."""

import importlib
import os
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from deep3d.errors import CameraUnavailable, ConfigError, ExtraMissing
from deep3d.evaluation.clips import jitter
from deep3d.synthetic.clips import still_clip
from deep3d.video import camera
from deep3d.video.camera import camera_pictures, newest, video_pictures
from deep3d.video.expressions import ARKIT_NAMES
from deep3d.video.live import FITTED_AT, LiveFaces
from deep3d.video.vmc import VmcSender, head_turn, vmc_messages


@pytest.fixture(scope="module")
def live(talking, reconstructor):
    """The faces of the talking clip, as they came."""
    follow = LiveFaces(reconstructor)
    return [follow(pixels, number / 10) for number, pixels in enumerate(talking[1])]


def test_each_frame_has_its_face_where_it_is(live, talking, reconstructor):
    clip, _ = talking
    errors = []
    for number, faces in enumerate(live):
        (face,) = faces
        truth = clip.landmarks68(0, 3 * number)
        away = face.track.landmarks68(reconstructor.face_model)[0] - truth
        errors.append(np.linalg.norm(away, axis=1).mean() / np.sqrt(np.prod(np.ptp(truth, axis=0))))
    assert np.mean(errors) < 0.02 and max(errors) < 0.05


def test_weights_follow_what_is_said_and_have_no_opposites(live, talking):
    clip, _ = talking
    weights = np.array([faces[0].weights for faces in live])
    assert weights.shape == (24, 52) and weights.min() >= 0 and weights.max() <= 1
    said = clip.performances[0].expression[::3, clip.model.expression_names.index("jawOpen")]
    assert np.corrcoef(weights[:, ARKIT_NAMES.index("jawOpen")], said)[0, 1] > 0.6


def test_the_identity_is_fitted_a_few_times_and_then_stays(live):
    fitted = [faces[0].fitted for faces in live]
    assert fitted == [sum(n + 1 >= at for at in FITTED_AT) for n in range(24)]
    for before, after in pairwise(live):
        same = np.array_equal(before[0].track.person.identity, after[0].track.person.identity)
        assert same == (before[0].fitted == after[0].fitted)


def test_a_still_face_keeps_still(reconstructor):
    clip = still_clip(reconstructor.face_model, 30, size=(640, 360))
    follow = LiveFaces(reconstructor)
    faces = [follow(clip.frame(number), number / 30)[0] for number in range(30)]
    landmarks = np.concatenate([face.track.landmarks68(reconstructor.face_model) for face in faces[18:]])
    assert jitter(landmarks) < 0.4


def test_after_an_absence_nothing_is_smoothed_across_it(reconstructor, talking):
    _, frames = talking
    follow = LiveFaces(reconstructor)
    wall = np.full_like(frames[0], 128)
    follow(frames[0], 0.0)
    assert follow(wall, 0.1) == []
    (again,) = follow(np.roll(frames[6], 60, axis=1), 2.0)
    (fresh,) = LiveFaces(reconstructor)(np.roll(frames[6], 60, axis=1), 0.0)
    assert again.track.person.number == fresh.track.person.number == 1
    assert np.abs(again.track.place - fresh.track.place).max() < 3


def test_whoever_is_slow_gets_the_newest_picture():
    ready, go_on = threading.Event(), threading.Event()

    def source():
        for number in range(5):
            yield number, np.zeros(1)
        ready.set()
        go_on.wait(10)
        yield 5, np.zeros(1)

    with newest(source) as given:
        assert ready.wait(10)
        assert next(given)[0] == 4
        go_on.set()
        assert next(given)[0] == 5
        assert next(given, None) is None


def test_what_goes_wrong_while_pictures_come_is_told(monkeypatch):
    def source():
        yield 0, np.zeros(1)
        raise CameraUnavailable("gone")

    with newest(source) as given, pytest.raises(CameraUnavailable, match="gone"):
        for _ in given:
            time.sleep(0.05)
    monkeypatch.setattr(camera, "PATIENCE", 0.05)
    stuck = threading.Event()
    with newest(lambda: iter([(0.0, np.zeros(1))] if stuck.wait(1) else [])) as given:
        with pytest.raises(CameraUnavailable, match="no picture arrived"):
            next(given)
        stuck.set()


def test_a_video_is_played_at_its_own_speed(write_clip, tmp_path):
    video = write_clip(tmp_path / "a.mp4", [np.full((64, 64, 3), 40 * n, np.uint8) for n in range(5)], rate=10)
    with video_pictures(video) as pictures:
        times = [now for now, _ in pictures]
    assert times[-1] == pytest.approx(0.4) and times == sorted(times)


def test_a_camera_that_is_not_there_is_told_in_one_line():
    pytest.importorskip("cv2", exc_type=ImportError)
    told = r"camera 63: not found or in use; .*--camera"
    with pytest.raises(CameraUnavailable, match=told), camera_pictures(63):
        pass


def test_without_opencv_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ExtraMissing, match=r"deep3d\[webcam\]"), camera_pictures(0):
        pass


class Window:
    """OpenCV as far as the command uses it, with a camera of a clip and somebody who presses q in the end."""

    COLOR_RGB2BGR, COLOR_BGR2RGB, WND_PROP_VISIBLE = 1, 2, 3

    def __init__(self, frames, keys=""):
        self.shown, self.frames, self.keys = [], frames, keys
        self.closed = False

    def cvtColor(self, pixels, _):  # noqa: N802
        return pixels[..., ::-1]

    def imshow(self, _, pixels):
        self.shown.append(pixels)

    def waitKey(self, _):  # noqa: N802
        return ord("q") if len(self.shown) >= 3 else -1

    def getWindowProperty(self, *_):  # noqa: N802
        return 1.0

    def destroyAllWindows(self):  # noqa: N802
        self.closed = True


def test_the_window_shows_faces_until_q(talking, reconstructor):
    _, frames = talking
    window, sent = Window(frames), []
    pictures = ((number / 10, pixels) for number, pixels in enumerate(frames))
    show = importlib.import_module("deep3d.cli.webcam")._show
    count = show(window, reconstructor, pictures, "2d_sparse", lambda *each: sent.append(each))
    assert count == 3 and window.closed and len(sent) == 3
    for pixels, shown in zip(frames, window.shown):
        assert shown.shape == pixels.shape and (np.abs(shown[..., ::-1].astype(int) - pixels) > 30).any()


def test_without_a_display_it_is_told(monkeypatch):
    pytest.importorskip("cv2", exc_type=ImportError)
    command = [sys.executable, "-m", "deep3d", "webcam"]
    done = subprocess.run(command, capture_output=True, text=True, env=without_display())
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "no display" in done.stderr


def without_display():
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


def test_a_file_that_is_not_there_is_told_before_the_display(tmp_path):
    command = [sys.executable, "-m", "deep3d", "webcam", "--file", str(tmp_path / "missing.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, env=without_display())
    assert done.returncode == 2 and "no such file" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_without_a_display_faces_are_sent_all_the_same(talking, write_clip, tmp_path):
    osc = pytest.importorskip("pythonosc.osc_packet")
    clip = write_clip(tmp_path / "a.mp4", talking[1][:12], rate=10)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        place = f"127.0.0.1:{receiver.getsockname()[1]}"
        command = [sys.executable, "-m", "deep3d", "webcam", "--quality", "fast", "--file", str(clip), "--vmc", place]
        done = subprocess.run(command, capture_output=True, text=True, env=without_display())
        assert done.returncode == 0, done.stderr
        assert "without a window" in done.stderr
        messages = [each.message for each in osc.OscPacket(receiver.recv(65536)).messages]
    assert messages[0].address == "/VMC/Ext/OK"


def test_vtuber_programs_are_sent_arkit_names_and_the_head(live):
    osc = pytest.importorskip("pythonosc.osc_packet")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        with VmcSender(f"127.0.0.1:{receiver.getsockname()[1]}") as send:
            send(live[5][0], 0.5)
        messages = []
        while not messages or messages[-1].address != "/VMC/Ext/Blend/Apply":
            content = receiver.recv(65536)
            assert len(content) < 1472  # a packet of an ordinary network
            messages += [each.message for each in osc.OscPacket(content).messages]
    by_address = {}
    for message in messages:
        by_address.setdefault(message.address, []).append(message.params)
    assert by_address["/VMC/Ext/OK"] == [[1]] and by_address["/VMC/Ext/T"] == [[0.5]]
    values = {name: value for name, value in by_address["/VMC/Ext/Blend/Val"]}
    assert set(values) == {name[0].upper() + name[1:] for name in ARKIT_NAMES}
    assert values["JawOpen"] == pytest.approx(live[5][0].weights[ARKIT_NAMES.index("jawOpen")], abs=1e-6)
    ((bone, *pose),) = by_address["/VMC/Ext/Bone/Pos"]
    assert bone == "Head" and pose[:3] == [0, 0, 0] and np.linalg.norm(pose[3:]) == pytest.approx(1, abs=1e-5)


def test_a_head_that_turns_to_the_right_of_the_picture_turns_to_its_own_left_in_unity():
    turned = head_turn(np.array([0.0, 0.5, 0.0]))
    assert turned == pytest.approx([0, -np.sin(0.25), 0, np.cos(0.25)])
    assert head_turn(np.array([0.3, 0, 0])) == pytest.approx([np.sin(0.15), 0, 0, np.cos(0.15)])


def test_without_a_face_receivers_are_told_so():
    assert [*vmc_messages(None, 2.0)] == [("/VMC/Ext/OK", (0,)), ("/VMC/Ext/T", (2.0,))]


@pytest.mark.parametrize("place", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "no such host:39539"])
def test_a_place_that_is_none_is_told(place):
    pytest.importorskip("pythonosc")
    with pytest.raises(ConfigError, match="HOST:PORT"):
        VmcSender(place)
