"""A video from end to end: pictures, sound, curves, what is steady, what goes on after a kill, what is refused."""

import csv
import dataclasses
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest

from deep3d import write_results
from deep3d.errors import CoefficientsInvalid, ExtraMissing, NoFaceInVideo, OutputNotWritable, VideoUnreadable
from deep3d.evaluation.people import shape_distance
from deep3d.export.gltf.morph_targets import APPLE_NAMES, TONGUE, VISEMES
from deep3d.photo import Photo
from deep3d.video import drawing as drawing_module
from deep3d.video import outputs
from deep3d.video.curves import COLUMNS, LIVE_LINK_NAMES, time_code
from deep3d.video.drawing import draw_video
from deep3d.video.expressions import ARKIT_NAMES, curves_of
from deep3d.video.heads import HeadTrack, Person
from deep3d.video.reading import read_frames, video_info
from deep3d.video.request import Actor, VideoRequest
from deep3d.video.smoothing import Smoothing

av = pytest.importorskip("av")


def quiet(stage, done, total):
    pass


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def landmarks_of(row):
    return np.array([float(row[f"{axis}{n}"]) for n in range(68) for axis in "xy"]).reshape(68, 2)


def test_the_video_has_the_frames_and_the_sound_of_its_source(drawn):
    frames = [*read_frames(drawn.request.out)]
    assert [round(float(frame.time), 3) for frame in frames] == [n / 10 for n in range(24)]
    assert video_info(drawn.request.out).sound
    with av.open(str(drawn.request.out)) as video:
        voice = video.streams.audio[0]
        assert voice.codec_context.name == "aac"
        assert float(voice.duration * voice.time_base) == pytest.approx(2.4, abs=0.05)
        samples = np.concatenate([part.to_ndarray()[0] for part in video.decode(voice)])
        assert np.abs(samples).max() > 0.2


def test_faces_are_drawn_where_they_are_and_the_rest_stays(drawn, talking):
    clip, _ = talking
    before = [frame.pixels.astype(int) for frame in read_frames(drawn.video)]
    after = [frame.pixels.astype(int) for frame in read_frames(drawn.request.out)]
    for number in (0, 11, 23):
        changed = np.abs(after[number] - before[number]).max(axis=2)
        nose = clip.landmarks68(0, 3 * number)[27:36].mean(axis=0).astype(int)
        assert changed[nose[1] - 2 : nose[1] + 3, nose[0] - 2 : nose[0] + 3].mean() > 12
        assert changed[:60, :60].mean() < 6


def test_it_is_told_what_goes_on(drawn):
    stages = dict.fromkeys(stage for stage, *_ in drawn.told)
    assert [*stages] == ["Looking", "Drawing"]
    assert ("Looking", 24, 24) in drawn.told and ("Drawing", 24, 24) in drawn.told
    assert drawn.report.frames == 24 and drawn.report.faces == {1: 24}
    assert not [path for path in drawn.folder.iterdir() if path.name.startswith(".")]


def test_the_table_has_a_row_for_each_frame(drawn, talking):
    clip, _ = talking
    rows = rows_of(drawn.request.table)
    assert tuple(rows[0]) == COLUMNS and len(COLUMNS) == 6 + 52 + 136 + 1
    assert [int(row["frame"]) for row in rows] == [*range(24)]
    assert [float(row["time_s"]) for row in rows] == pytest.approx([n / 10 for n in range(24)], abs=1e-5)
    errors = []
    for number, row in enumerate(rows):
        truth = clip.landmarks68(0, 3 * number)
        errors.append(
            np.linalg.norm(landmarks_of(row) - truth, axis=1).mean() / np.sqrt(np.prod(np.ptp(truth, axis=0)))
        )
        assert all(0 <= float(row[name]) <= 1 for name in APPLE_NAMES) and float(row["tongueOut"]) == 0
        assert 0 < float(row["landmark_error_percent"]) < 8
    assert np.mean(errors) < 0.012
    yaw = np.degrees(clip.performances[0].rotation[::3, 1])
    assert np.abs([float(row["yaw"]) for row in rows] - yaw).mean() < 3
    said = clip.performances[0].expression[::3, clip.model.expression_names.index("jawOpen")]
    assert np.corrcoef([float(row["jawOpen"]) for row in rows], said)[0, 1] > 0.7


def test_one_identity_over_the_video_is_nearer_to_the_truth_than_those_of_single_frames(drawn, talking, reconstructor):
    clip, frames = talking
    model = clip.model
    truth = 100 * model.neutral_shape(clip.identity(0)[None])[0].astype(float)
    near = model.skin > 0.5
    file: Any = pygltflib.GLTF2().load(str(drawn.request.glb))
    accessor = file.accessors[file.meshes[0].primitives[0].attributes.POSITION]
    view = file.bufferViews[accessor.bufferView]
    start = view.byteOffset + (accessor.byteOffset or 0)
    positions = np.frombuffer(file.binary_blob()[start : start + 12 * accessor.count], "<f4").reshape(-1, 3)
    from deep3d.export.gltf.face import whole_vertices

    number = whole_vertices(model)
    rest = np.empty((number.max() + 1, 3))
    rest[number] = 1000 * positions
    rest = rest[: len(truth)]
    singles = [
        shape_distance(100 * model.neutral_shape(face.coefficients.identity)[0][near].astype(float), truth[near])
        for (face,) in reconstructor.refining("landmarks").reconstruct(
            [Photo(pixels, "f", "") for pixels in frames[::6]]
        )
    ]
    assert shape_distance(rest[near], truth[near]) < 0.8 * np.mean(singles)


def test_the_animated_face_has_tracks_for_its_targets_and_its_head(drawn, talking):
    clip, _ = talking
    file: Any = pygltflib.GLTF2().load(str(drawn.request.glb))
    (animation,) = file.animations
    assert {channel.target.path for channel in animation.channels} == {"weights", "rotation"}
    assert file.meshes[0].extras["targetNames"] == [*APPLE_NAMES, TONGUE, *VISEMES]
    by_path = {channel.target.path: animation.samplers[channel.sampler] for channel in animation.channels}

    def numbers(accessor, width):
        accessor = file.accessors[accessor]
        start = file.bufferViews[accessor.bufferView].byteOffset
        return np.frombuffer(file.binary_blob()[start : start + 4 * width * accessor.count], "<f4").reshape(-1, width)

    times = numbers(by_path["weights"].input, 1)[:, 0]
    assert times == pytest.approx([n / 10 for n in range(24)], abs=1e-5)
    weights = numbers(by_path["weights"].output, 1).reshape(24, 67)
    assert weights[:, APPLE_NAMES.index("jawOpen")].max() > 0.1
    turns = numbers(by_path["rotation"].output, 4)
    assert np.linalg.norm(turns, axis=1) == pytest.approx(1, abs=1e-5)
    yaw = 2 * np.degrees(np.arctan2(turns[:, 1], turns[:, 3]))
    assert np.abs(yaw - np.degrees(clip.performances[0].rotation[::3, 1])).mean() < 4


def test_khronos_validator_finds_nothing_wrong(drawn):
    node = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    validator = Path(__file__).parents[2] / "serving" / "viewer" / "node_modules" / "gltf-validator"
    if node is None or not validator.is_dir():
        pytest.skip("no node with gltf-validator; `make setup` brings them")
    script = (
        f"const v = require({str(validator)!r}), fs = require('fs');"
        "v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))"
        ".then(r => console.log(JSON.stringify(r.issues.messages)))"
    )
    done = subprocess.run([node, "-e", script, str(drawn.request.glb)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_blender_plays_the_animated_face(drawn):
    bpy = pytest.importorskip("bpy", reason="Blender's package bpy is not installed")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(drawn.request.glb))
    (face,) = [each for each in bpy.data.objects if each.type == "MESH"]
    names = [key.name for key in face.data.shape_keys.key_blocks]
    assert names[1:] == [*APPLE_NAMES, TONGUE, *VISEMES]
    assert face.data.shape_keys.animation_data is not None and face.animation_data is not None
    values = []
    for frame in (1, 10, 20, 30):
        bpy.context.scene.frame_set(frame)
        values.append([key.value for key in face.data.shape_keys.key_blocks])
    assert np.std(values, axis=0).max() > 0.02


def test_live_link_face_reads_like_the_apps_own_files(drawn):
    rows = rows_of(drawn.request.live_link)
    columns = [*rows[0]]
    assert columns[:3] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft"] and columns[-1] == "RightEyeRoll"
    assert len(columns) == 63 and set(LIVE_LINK_NAMES) <= set(columns)
    assert [name[0].lower() + name[1:] for name in sorted(LIVE_LINK_NAMES)] == sorted([*APPLE_NAMES, "tongueOut"])
    assert rows[0]["BlendShapeCount"] == "61"
    assert [row["Timecode"] for row in rows[8:12]] == [f"00:00:00:{n:02d}.000" for n in (8, 9)] + [
        f"00:00:01:{n:02d}.000" for n in (0, 1)
    ]
    table = rows_of(drawn.request.table)
    for live, row in zip(rows, table):
        assert float(live["JawOpen"]) == pytest.approx(float(row["jawOpen"]), abs=1e-4)
        assert float(live["HeadYaw"]) == pytest.approx(np.radians(float(row["yaw"])), abs=1e-4)
        outward, inward = float(row["eyeLookOutLeft"]), float(row["eyeLookInLeft"])
        assert float(live["LeftEyeYaw"]) == pytest.approx(np.radians(32) * (outward - inward), abs=0.15)
        assert float(live["LeftEyeRoll"]) == float(live["RightEyeRoll"]) == 0


def test_curves_carry_where_the_eyes_look(reconstructor):
    """Of one who looks aside, and then up, with a blink between that hides the irises."""
    model, frames = reconstructor.face_model, 12
    flat = {"angles": 3, "place": 2, "expression": 64, "lighting": 27, "crops": 7}
    rows = {name: np.zeros((frames, width)) for name, width in flat.items()}
    single = {name: np.ones(frames) for name in ("scale", "perspective", "error")}
    person = Person(1, np.zeros(80), np.zeros(80))
    track = HeadTrack(person=person, frame=np.arange(frames), time=np.arange(frames) / 30, **rows, **single)
    eyes = np.zeros((frames, 2, 4), np.float32)
    eyes[:6, :, 0], eyes[6:, :, 1], eyes[:, :, 2] = 0.8, 0.9, 1
    eyes[5:7, :, :3] = 0
    curves = curves_of(track, eyes, model, reconstructor.checkpoint.sha256, Smoothing("none"))
    assert curves.weights.shape == (frames, 52)
    number = {name: place for place, name in enumerate(ARKIT_NAMES)}
    aside = curves.weights[:, number["eyeLookOutLeft"]]
    assert aside[:5] == pytest.approx(0.8, abs=1e-3) and aside[7:] == pytest.approx(0, abs=1e-3)
    assert curves.weights[:5, number["eyeLookInRight"]] == pytest.approx(0.8, abs=1e-3)
    assert curves.weights[7:, number["eyeLookUpLeft"]] == pytest.approx(0.9, abs=1e-3)
    assert 0 < aside[5] < 0.8  # on its way while the lids are closed
    assert curves.eyes[0, 0] == pytest.approx([0.8 * np.radians(32), 0], abs=1e-3)
    assert curves.eyes[-1, 1] == pytest.approx([0, 0.9 * np.radians(25)], abs=1e-3)


@pytest.mark.parametrize(
    ("time", "rate", "code"),
    [
        (0, 30, "00:00:00:00.000"),
        (3661.5, 30, "01:01:01:15.000"),
        (1001 / 30000 * 30, Fraction(30000, 1001), "00:00:01:00.000"),
        (0.0125, 30, "00:00:00:00.375"),
    ],
)
def test_time_codes_count_frames(time, rate, code):
    assert time_code(float(time), Fraction(rate)) == code


def test_a_killed_command_goes_on_and_gives_the_same(talking, reconstructor, write_clip, tmp_path, monkeypatch):
    video = write_clip(tmp_path / "a.mp4", talking[1][:20], rate=10)
    monkeypatch.setattr(drawing_module, "STRETCH", 8)
    request = VideoRequest(video, tmp_path / "out.mp4", table=tmp_path / "curves.csv")
    whole = dataclasses.replace(request, out=tmp_path / "whole.mp4", table=tmp_path / "whole.csv")
    draw_video(reconstructor, whole, quiet)

    class Killed(BaseException):
        pass

    for stage, least in (("Looking", 17), ("Drawing", 10)):
        done: list[tuple[str, int]] = []

        def advance(now, count, total, stage=stage, least=least, done=done):
            done.append((now, count))
            if now == stage and count >= least:
                raise Killed

        with pytest.raises(Killed):
            draw_video(reconstructor, request, advance)
        assert not request.out.exists()
    looked = [count for now, count in done if now == "Looking"]
    assert min(looked) > 16  # the first two stretches were known
    last: list[tuple[str, int]] = []
    draw_video(reconstructor, request, lambda now, count, total: last.append((now, count)))
    assert all(now == "Drawing" and count > 8 for now, count in last)
    assert (tmp_path / "curves.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len([*read_frames(request.out)]) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.mp4",
        "curves.csv",
        "out.mp4",
        "whole.csv",
        "whole.mp4",
    ]


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "libx264"), ("a.mpg", "mpeg2video"), ("a.h264", "libx264")])
def test_faces_are_drawn_on_their_own_frames_also_where_seeking_is_hard(
    name, codec, talking, reconstructor, tmp_path, monkeypatch
):
    # given one key frame, from which all others are decoded, and a face that moves with the picture
    frames = [np.roll(pixels, 6 * number, axis=1) for number, pixels in enumerate(talking[1][:20])]
    for file, kind in (("a.mp4", "libx264"), (name, codec)):
        with av.open(str(tmp_path / file), "w") as video:
            stream = video.add_stream(kind, rate=25, options={"g": "600", "b": "6000000"})
            stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
            for pixels in frames:
                video.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
            video.mux(stream.encode())
    easy = VideoRequest(tmp_path / "a.mp4", tmp_path / "easy.mp4", kind="2d_dense")
    draw_video(reconstructor, easy, quiet)
    # when the command is killed between two stretches, and run again
    monkeypatch.setattr(drawing_module, "STRETCH", 8)
    request = VideoRequest(tmp_path / name, tmp_path / "out.mp4", kind="2d_dense")
    with pytest.raises(KeyboardInterrupt):
        draw_video(reconstructor, request, _killed_at("Drawing", 10))
    draw_video(reconstructor, request, quiet)
    # then each frame is there, with the points on its own face
    expected, places = (_columns_drawn_on(each.out, frames) for each in (easy, request))
    assert len(places) == len(expected) == 20
    assert np.abs(places - expected).max() < 3


def _columns_drawn_on(video, frames):
    """The mean column of what is drawn on each frame."""
    changed = [
        np.abs(drawn.pixels.astype(int) - pixels).max(axis=2) > 60 for drawn, pixels in zip(read_frames(video), frames)
    ]
    return np.array([np.nonzero(each)[1].mean() for each in changed])


def _killed_at(stage, count):
    def advance(now, done, total):
        if now == stage and done >= count:
            raise KeyboardInterrupt

    return advance


def test_a_start_behind_the_end_is_told(drawn, reconstructor, tmp_path):
    with pytest.raises(
        VideoUnreadable, match=r"no frame at or after 99 s; it is 2\.40 s long; choose an earlier start"
    ):
        draw_video(reconstructor, VideoRequest(drawn.video, tmp_path / "o.mp4", start=99), quiet)
    assert not [*tmp_path.iterdir()]


def test_a_part_of_a_video_with_its_sound(drawn, reconstructor, tmp_path):
    request = VideoRequest(
        drawn.video, tmp_path / "part.mkv", start=0.8, end=1.6, smoothing=Smoothing("none"), table=tmp_path / "t.csv"
    )
    assert draw_video(reconstructor, request, quiet).frames == 8
    info = video_info(request.out)
    assert info.sound and [round(float(f.time), 2) for f in read_frames(request.out)] == [n / 10 for n in range(8)]
    rows = rows_of(request.table)
    assert [float(row["time_s"]) for row in rows] == pytest.approx([0.8 + n / 10 for n in range(8)], abs=1e-5)


def test_somebody_elses_face_moves_as_the_one_in_the_video(drawn, reconstructor, tmp_path):
    sample = Path(__file__).parents[2] / "docs" / "sample" / "astronaut.jpg"
    write_results(reconstructor(sample), tmp_path / "b", ["obj", "json"])
    actor = Actor.read(tmp_path / "b", reconstructor.face_model)
    request = VideoRequest(drawn.video, tmp_path / "onto.mp4", end=0.4, onto=actor, glb=tmp_path / "onto.glb")
    draw_video(reconstructor, request, quiet)
    frame = next(read_frames(request.out)).pixels
    assert np.abs(frame[:30, :30].astype(int) - 233).max() < 12  # light grey
    assert (np.abs(frame.astype(int) - 233).max(axis=2) > 30).mean() > 0.03
    file: Any = pygltflib.GLTF2().load(str(request.glb))
    view = file.bufferViews[file.images[0].bufferView]
    from deep3d.export.images import jpeg

    assert file.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength] == jpeg(actor.texture)


def test_a_folder_without_a_face_is_told(reconstructor, tmp_path):
    with pytest.raises(CoefficientsInvalid, match="give a folder that deep3d reconstruct wrote"):
        Actor.read(tmp_path, reconstructor.face_model)
    (tmp_path / "face.json").write_text('{"coefficients": []}')
    with pytest.raises(CoefficientsInvalid):
        Actor.read(tmp_path, reconstructor.face_model)


def test_parquet_has_the_same_table(drawn, reconstructor, tmp_path):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    request = VideoRequest(drawn.video, tmp_path / "o.mp4", end=0.3, table=tmp_path / "t.parquet")
    draw_video(reconstructor, request, quiet)
    table = pyarrow.read_table(str(request.table))
    assert tuple(table.column_names) == COLUMNS and table.num_rows == 3


def test_without_pyarrow_parquet_is_refused_before_any_work(drawn, reconstructor, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    request = VideoRequest(drawn.video, tmp_path / "o.mp4", table=tmp_path / "t.parquet")
    with pytest.raises(ExtraMissing, match=r"deep3d\[tables\]"):
        draw_video(reconstructor, request, quiet)
    assert not [*tmp_path.iterdir()]


def test_a_video_without_faces_is_told_and_nothing_is_left(write_clip, reconstructor, tmp_path):
    video = write_clip(tmp_path / "wall.mp4", [np.full((120, 160, 3), 120, np.uint8)] * 5)
    with pytest.raises(NoFaceInVideo, match="no face in any frame"):
        draw_video(reconstructor, VideoRequest(video, tmp_path / "o.mp4"), quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["wall.mp4"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"out": "o.webm"}, "the name of a video ends in"),
        ({"out": "missing/o.mp4"}, "cannot write a file there"),
        ({"table": "t.xlsx"}, "tables are written as"),
        ({"glb": "missing/o.glb"}, "cannot write a file there"),
    ],
)
def test_what_cannot_be_written_is_told_before_any_work(changes, wrong, drawn, reconstructor, tmp_path):
    request = VideoRequest(drawn.video, tmp_path / "o.mp4")
    request = dataclasses.replace(request, **{name: tmp_path / path for name, path in changes.items()})
    with pytest.raises(OutputNotWritable, match=wrong):
        draw_video(reconstructor, request, quiet)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
@pytest.mark.parametrize(("output", "name"), [("out", "a.mp4"), ("table", "a.csv"), ("glb", "a.glb")])
def test_a_video_is_not_written_over(output, name, link, drawn, reconstructor, tmp_path):
    source = tmp_path / name
    shutil.copy(drawn.video, source)
    path = source
    if link is not None:
        path = tmp_path / f"link-{name}"
        getattr(path, link)(source)
    before = source.read_bytes()
    request = dataclasses.replace(VideoRequest(source, tmp_path / "o.mp4"), **{output: path})
    with pytest.raises(OutputNotWritable, match="this is the video to read"):
        draw_video(reconstructor, request, quiet)
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        ({"table": "t.csv", "live_link": "t.csv"}, "given for --table and --livelink"),
        ({"table": "t.csv", "live_link": "folder/../t.csv"}, "given for --table and --livelink"),
        ({"table": "t.csv", "live_link": "link.csv"}, "given for --table and --livelink"),
        ({"table": "t-face-2.csv", "live_link": "t.csv"}, "may write this name for one of several people"),
        ({"glb": "f.gltf"}, "animated faces are written as .glb"),
        ({"glb": "o.mp4"}, "animated faces are written as .glb"),
        ({"live_link": "l.json"}, "curves of Live Link Face are written as .csv"),
    ],
)
def test_two_outputs_do_not_replace_each_other(names, wrong, drawn, reconstructor, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    request = VideoRequest(drawn.video, tmp_path / "o.mp4")
    request = dataclasses.replace(request, **{name: tmp_path / path for name, path in names.items()})
    with pytest.raises(OutputNotWritable, match=wrong):
        draw_video(reconstructor, request, quiet)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "link.csv"}


def test_a_full_disk_is_told_and_what_is_known_is_kept(drawn, reconstructor, tmp_path, monkeypatch):
    from deep3d.video import writing

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    request = VideoRequest(drawn.video, tmp_path / "o.mp4", end=0.4)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "round", full, raising=False)  # as the encoder is about to write
        with pytest.raises(OutputNotWritable, match=r"No space left.*try again"):
            draw_video(reconstructor, request, quiet)
    told = []
    draw_video(reconstructor, request, lambda stage, *_: told.append(stage))
    assert set(told) == {"Drawing"} and len([*read_frames(request.out)]) == 4


@pytest.mark.parametrize("full_at", ["write_table", "write_live_link", "write_bytes"])
def test_a_full_disk_at_the_last_files_is_told_and_finished_ones_are_kept(
    full_at, drawn, reconstructor, tmp_path, monkeypatch
):
    names = {"table": "t.csv", "live_link": "l.csv", "glb": "f.glb"}
    request = VideoRequest(
        drawn.video, tmp_path / "o.mp4", end=0.4, **{name: tmp_path / path for name, path in names.items()}
    )

    def full(path, *_):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if full_at == "write_bytes":  # of the GLB
            patch.setattr(Path, full_at, full)
        else:
            patch.setattr(outputs, full_at, full)
        with pytest.raises(OutputNotWritable, match=r"No space left.*make room, then run the same command") as caught:
            draw_video(reconstructor, request, quiet)
    assert "\n" not in str(caught.value)
    order = ["write_table", "write_live_link", "write_bytes"]
    kept = ["o.mp4", *["t.csv", "l.csv"][: order.index(full_at)]]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".o.mp4.partial", *kept])
    # the same command continues with what is missing
    told = []
    draw_video(reconstructor, request, lambda *each: told.append(each))
    assert told == [] and sorted(path.name for path in tmp_path.iterdir()) == sorted(["o.mp4", *names.values()])
