"""The command line: what it writes, says and returns, on good photos and bad ones."""

import io
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numba
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from deep3d import FaceCoefficients, cli, default_face_model
from deep3d.cli import measuring
from deep3d.cli.compiling import NOTICE, compiling_told
from deep3d.evaluation.robustness.faceless_pictures import TUNING, faceless_picture
from deep3d.export import read_hair

SAMPLE = Path(__file__).parents[1] / "docs" / "sample" / "astronaut.jpg"
FILES = {"face.glb", "face.obj", "face.mtl", "texture.png", "albedo.png", "face.ply", "face.json", "overlay.jpg"}


def run(*arguments: object):
    """Exit code and output of `deep3d ...`, as the console script gives them."""
    runner = CliRunner()
    result = runner.invoke(cli.app, [str(argument) for argument in arguments], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return _through_main(arguments)
    return result.exit_code, result.stdout, result.stderr


def _through_main(arguments):
    """Errors for people end in `main`, which the runner does not call."""
    done = subprocess.run([sys.executable, "-m", "deep3d", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_a_command_starts_without_looking_for_garbage(runtime, tmp_path):
    code = (
        "import gc, sys\n"
        "from deep3d.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "assert gc.isenabled() and gc.get_freeze_count() > 100_000\n"
        "assert 'torch' not in sys.modules\n"
    )
    call = [sys.executable, "-c", code, "reconstruct", SAMPLE, "--runtime", runtime, "--out", tmp_path]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("wanted", [("--hair", "none"), ("--quality", "fast")])
def test_the_head_can_do_without_hair(tmp_path, wanted):
    code, _, err = run("reconstruct", SAMPLE, "--out", tmp_path, *wanted)
    assert code == 0, err
    assert {path.name for path in (tmp_path / "astronaut").iterdir()} == FILES
    assert read_hair((tmp_path / "astronaut" / "face.glb").read_bytes()) is None


def test_a_photo_becomes_a_folder_of_files(tmp_path):
    code, out, err = run("reconstruct", SAMPLE, "--out", tmp_path, "--json")
    assert code == 0, err
    assert {path.name for path in (tmp_path / "astronaut").iterdir()} == FILES | {"hair.obj", "hair.mtl", "hair.png"}
    (line,) = out.splitlines()
    report = json.loads(line)
    assert set(report) == {"photo", "folder", "faces", "error"} and report["error"] is None
    assert set(report["faces"][0]) == {"folder", "score", "pose"}
    assert (tmp_path / "astronaut" / "face.glb").stat().st_size < 6e6
    face = json.loads((tmp_path / "astronaut" / "face.json").read_text())
    assert face["photo"]["name"] == "astronaut.jpg"


def test_photos_of_one_person_share_it_and_give_a_merged_face(tmp_path):
    photo = Image.open(SAMPLE)
    photo.rotate(8).save(tmp_path / "merged.jpg", quality=95)
    (tmp_path / "broken.jpg").write_bytes(b"no photo")

    code, out, err = run(
        *("reconstruct", "--same-person", SAMPLE, tmp_path / "merged.jpg", tmp_path / "broken.jpg"),
        *("--out", tmp_path / "out", "--json", "--formats", "json", "--material"),
    )

    assert code == 1 and "broken.jpg" in err
    warnings = json.loads((tmp_path / "out" / "merged" / "face.json").read_text())["warnings"]
    assert warnings[0] == "broken.jpg is left out: it cannot be read."
    reports = [json.loads(line) for line in out.splitlines()]
    assert [Path(report["folder"]).name for report in reports] == ["astronaut", "merged-2", "broken", "merged"]
    assert [report["error"] is None for report in reports] == [True, True, False, True]
    faces = [json.loads((tmp_path / "out" / name / "face.json").read_text()) for name in ("astronaut", "merged-2")]
    assert faces[0]["coefficients"]["identity"] == faces[1]["coefficients"]["identity"]
    assert faces[0]["pose"] != faces[1]["pose"]
    assert (tmp_path / "out" / "merged" / "face.json").is_file()
    colours = {
        (tmp_path / "out" / name / "base_color.png").read_bytes() for name in ("astronaut", "merged-2", "merged")
    }
    lights = {(tmp_path / "out" / name / "light.json").read_bytes() for name in ("astronaut", "merged-2")}
    assert (len(colours), len(lights)) == (1, 2)


def test_bad_photos_are_told_and_the_others_done(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "broken.jpg").write_bytes(SAMPLE.read_bytes()[:2000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not a photo")
    Image.new("RGB", (20, 20)).save(folder / "tiny.png")
    Image.new("RGB", (300, 300), "grey").save(folder / "wall.png")
    Image.open(SAMPLE).convert("CMYK").save(folder / "who.jpg")

    code, out, err = run("reconstruct", folder, "--out", tmp_path / "out", "--json")

    assert code == 1
    reports = {Path(r["photo"]).name: r for r in map(json.loads, out.splitlines())}
    assert set(reports) == {path.name for path in folder.iterdir()}
    assert reports["who.jpg"]["error"] is None and len(reports["who.jpg"]["faces"]) == 1
    for name in ("broken.jpg", "empty.png", "text.jpg", "tiny.png", "wall.png"):
        assert name in reports[name]["error"] and "\n" not in reports[name]["error"]
        assert not (tmp_path / "out" / Path(name).stem).exists()
    assert "Traceback" not in err


def test_a_folder_without_photos_does_not_stop_the_others(tmp_path):
    (tmp_path / "EMPTY").mkdir()
    code, out, err = run("reconstruct", tmp_path / "EMPTY", SAMPLE, "--out", tmp_path / "out", "--json")
    assert code == 1, err
    empty, sample = map(json.loads, out.splitlines())
    assert empty["photo"] == str(tmp_path / "EMPTY") and "no photos in this folder" in empty["error"]
    assert sample["error"] is None and len(sample["faces"]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_standard_output_stays_apart_from_a_terminal_on_standard_error():
    import pty

    terminal, stderr = pty.openpty()
    code = (
        "import sys; from deep3d.cli.output import progress\n"
        "with progress() as bar:\n"
        "    bar.add_task('Working', total=2)\n"
        "    sys.stdout.write('{\"line\": 1}\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=os.environ | {"TERM": "xterm"},
        check=False,
    )
    os.close(stderr)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert done.stdout == '{"line": 1}\n'
    assert "Working" in shown and "line" not in shown


def test_the_mean_face_is_measured_without_a_checkpoint(tmp_path, monkeypatch, portraits, toy_model_path):
    monkeypatch.setattr("deep3d.network.checkpoints.DEFAULT_CHECKPOINT", "nowhere.safetensors")
    arguments = ["evaluate", "--portraits", portraits, "--model", toy_model_path, "--out", tmp_path / "figures.json"]
    for extra, told in (([], "measuring only the mean face"), (["--mean-face-only"], "")):
        code, out, err = run(*arguments, *extra)
        assert code == 0, err
        assert "mean face" in out and told in err
        (table,) = json.loads((tmp_path / "figures.json").read_text())["benchmarks"]
        assert [row["name"] for row in table["rows"]] == ["mean face"]
    code, _, err = run(*arguments, "--checkpoint", tmp_path / "mine.safetensors")
    assert code == 2 and "mine.safetensors: no checkpoint there" in err


@pytest.fixture
def portraits(tmp_path) -> Path:
    """Two portraits, of which one belongs to the half that is reported."""
    folder = tmp_path / "portraits"
    (folder / "photos").mkdir(parents=True)
    names = ["portrait_000.jpg", "portrait_001.jpg"]
    for name in names:
        (folder / "photos" / name).write_bytes(SAMPLE.read_bytes())
    landmarks = np.random.default_rng(0).uniform(100, 300, (2, 68, 2)).astype(np.float32)
    np.savez(folder / "landmarks.npz", names=names, mediapipe68=landmarks)
    return folder


def test_equal_names_get_folders_of_their_own(tmp_path):
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "anna.jpg").write_bytes(SAMPLE.read_bytes())
    code, _, err = run("reconstruct", tmp_path / "a" / "anna.jpg", tmp_path / "b", "--out", tmp_path / "out")
    assert code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"anna", "anna-2"}
    assert "anna-2" in err


def test_a_photo_with_a_long_name_gets_a_shorter_folder(tmp_path):
    photo = tmp_path / ("写" * 80 + ".jpg")
    photo.write_bytes(SAMPLE.read_bytes())
    code, _, err = run("reconstruct", photo, "--out", tmp_path / "out", "--formats", "json")
    assert code == 0, err
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name == "写" * 66 and "its name is too long" in err
    assert json.loads((folder / "face.json").read_text())["photo"]["name"] == photo.name


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["reconstruct", "nowhere.jpg", "--out", "OUT"], "nowhere.jpg"),
        (["reconstruct", "EMPTY", "--out", "OUT"], "EMPTY"),
        (["reconstruct", "SAMPLE", "--out", "FILE/x"], "FILE"),
        (["reconstruct", "SAMPLE", "--out", "OUT", "--model", "FILE"], "FILE"),
        (["reconstruct", "SAMPLE", "--out", "OUT", "--checkpoint", "FILE"], "FILE"),
        (["reconstruct", "SAMPLE", "--out", "OUT", "--runtime", "abacus"], "abacus"),
        (["reconstruct", "SAMPLE"], "--out"),
        (["reconstruct", "SAMPLE", "--out", "OUT", "--threads", "-1"], "--threads"),
        (["reconstruct", "SAMPLE", "--out", "OUT", "--same-person", "--faces", "all"], "largest face"),
        (["evaluate", "--mean-face-only"], "data set"),
        (["evaluate", "--mean-face-only", "--now", "EMPTY"], "imagepathsvalidation.txt"),
        (["evaluate", "--portraits", "OUT", "--out", "FILE/x"], "cannot write this file"),
        (["bench", "SAMPLE", "--out", "EMPTY"], "cannot write this file"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(tmp_path, arguments, named):
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FILE").write_text("no model")
    places = {"OUT": tmp_path / "OUT", "EMPTY": tmp_path / "EMPTY", "SAMPLE": SAMPLE, "FILE": tmp_path / "FILE"}
    places["FILE/x"] = tmp_path / "FILE" / "x"
    code, _, err = run(*(places.get(argument, argument) for argument in arguments))
    assert code == 2
    assert named in err and "Traceback" not in err


def test_a_photo_on_its_side_by_exif_gives_the_same_face(tmp_path):
    photo = Image.open(SAMPLE)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    photo.rotate(90, expand=True).save(tmp_path / "side.jpg", exif=exif, quality=95)
    photo.save(tmp_path / "up.jpg", quality=95)

    code, _, err = run("reconstruct", tmp_path / "side.jpg", tmp_path / "up.jpg", "--out", tmp_path / "out")

    assert code == 0, err
    points = [json.loads((tmp_path / "out" / n / "face.json").read_text())["landmarks68"] for n in ("side", "up")]
    assert np.abs(np.array(points[0]) - points[1]).max() < 1.5


def test_the_version_is_told():
    code, out, _ = run("--version")
    assert code == 0 and out == f"deep3d {version('deep3d')}\n"


def test_coefficients_are_those_of_the_shipped_model_unless_told_otherwise(tmp_path):
    np.save(tmp_path / "mean.npy", np.zeros((1, 257), np.float32))
    code, _, err = run("decode", tmp_path / "mean.npy", "--out", tmp_path / "mean.npz")
    assert code == 0, err
    with np.load(tmp_path / "mean.npz") as decoded:
        assert decoded["face_vertex"].shape[1] >= 13_220


def test_the_sample_photo_is_found_from_anywhere(tmp_path, monkeypatch):
    measured = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("deep3d.bench.run_bench", lambda photo, *_: measured.append(photo))
    with pytest.raises(AttributeError):  # nothing to print
        measuring.bench(out=None, plot=None)
    assert measured[0].samefile(SAMPLE)


def test_a_damaged_file_is_told_in_one_line(tmp_path):
    (tmp_path / "raw.tif").write_bytes(b"II*\0\x10\0\0\0CR\x02\0")
    code, _, err = _through_main(["reconstruct", tmp_path / "raw.tif", "--out", tmp_path / "r"])
    assert code == 1 and "\n" not in err.strip() and "this kind of TIFF is not read" in err


def test_a_file_name_that_is_odd_is_told_in_one_line(tmp_path):
    (tmp_path / "new\nline \x1b[31m 写真.jpg").write_bytes(b"no photo")
    code, _, err = _through_main(["reconstruct", tmp_path, "--out", tmp_path / "r"])
    assert code == 1 and "new\\nline \\x1b[31m 写真.jpg: unknown image format" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("command", [["reconstruct"], ["draw"], ["depth"], ["video", "-o", "3d"]])
def test_a_web_address_is_told_as_it_was_typed(tmp_path, command):
    code, _, err = run(*command, "https://example.org/a.jpg", "--out", tmp_path / "new.mp4")
    assert code == 2 and "https://example.org/a.jpg: a web address, not a file" in err


LEAN = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"flask", "sqlalchemy", "urllib3", "dramatiq", "waitress", "alembic", "redis"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from deep3d.cli import main
main()
"""


@pytest.mark.parametrize(
    "arguments", [["serve"], ["submit", "a.jpg"], ["api-key", "anna"], ["loadtest", "crowd", "a.jpg"]]
)
def test_commands_of_the_site_name_their_extra_in_the_lean_install(tmp_path, arguments):
    command = [sys.executable, "-c", LEAN, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("pip install 'deep3d[serving]'\n"), done.stderr
    assert [*tmp_path.iterdir()] == []


def test_what_is_odd_about_a_photo_and_its_folder_is_said(tmp_path):
    photo = tmp_path / "lying.jpg"
    photo.write_bytes(encoded(Image.open(SAMPLE).rotate(-90, expand=True))[:-2])
    (tmp_path / "out" / "lying").mkdir(parents=True)
    (tmp_path / "out" / "lying" / "notes.txt").write_text("mine")
    code, _, err = run("reconstruct", photo, "--out", tmp_path / "out", "--formats", "json")
    assert code == 0, err
    assert "lying.jpg: The photo file is cut off at its end" in err
    assert "lying.jpg: the face was not upright, so the photo was rotated by 270 degrees clockwise" in err
    assert "other files in this folder were kept: notes.txt" in err
    face = json.loads((tmp_path / "out" / "lying" / "face.json").read_text())
    assert face["photo"]["turn"] == 270 and "cut off at its end" in face["warnings"][0]


@pytest.mark.parametrize("faces", ["largest", "all"])
def test_pictures_without_faces_end_with_1(tmp_path, faces):
    for number in (414, 595, 135):  # pebbles, noise and a smiley that the detector is sure of
        Image.fromarray(faceless_picture(number, TUNING)[1]).save(tmp_path / f"{number}.png")
    code, _, err = run("reconstruct", tmp_path, "--out", tmp_path / "out", "--faces", faces)
    assert code == 1 and err.count("no face found") == 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["reconstruct", "PHOTO"],
        ["reconstruct", "SAMPLE", "--model", "PHOTO"],
        ["draw", "PHOTO"],
        ["depth", "PHOTO"],
        ["relight", "PHOTO"],
    ],
)
def test_a_run_that_fails_leaves_no_empty_folder(tmp_path, arguments):
    (tmp_path / "photo.jpg").write_text("no photo")
    places = {"PHOTO": tmp_path / "photo.jpg", "SAMPLE": SAMPLE}
    code, _, err = run(*(places.get(argument, argument) for argument in arguments), "--out", tmp_path / "new" / "out")
    assert code != 0 and "Traceback" not in err
    assert not (tmp_path / "new").exists()


def encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95)
    return stream.getvalue()


def test_who_waits_for_number_kernels_is_told_once(capsys):
    with compiling_told():
        for number in (1, 1.0):  # compiled twice
            assert numba.njit(lambda x: x + 1)(number) == 2
    assert numba.njit(lambda x: x + 2)(1) == 3
    assert capsys.readouterr().err == f"{NOTICE}\n"


def test_faces_are_drawn_in_every_kind_that_is_asked_for(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    code, out, err = run(
        "draw", SAMPLE, tmp_path / "broken.jpg", "-o", "2d_sparse,depth,2d_sparse", "--out", tmp_path / "out"
    )
    assert code == 1 and not out
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {f"astronaut_{name}" for name in ("2d_sparse.jpg", "depth.png", "depth16.png", "depth.npy")}
    assert "broken.jpg" in err and "astronaut_2d_sparse.jpg" in err


def test_an_unknown_kind_of_picture_is_told_before_any_work(tmp_path):
    code, _, err = run("draw", SAMPLE, "-o", "2d_sparse,4d", "--out", tmp_path / "out")
    assert code == 2 and "4d" in err and not (tmp_path / "out").exists()


def test_quality_says_how_much_is_done_for_a_face(tmp_path):
    faces = {}
    for quality in ("fast", "normal", "best"):
        code, _, err = run(
            *("reconstruct", SAMPLE, "--quality", quality, "--formats", "json", "--out", tmp_path / quality)
        )
        assert code == 0, err
        faces[quality] = json.loads((tmp_path / quality / "astronaut" / "face.json").read_text())
    steps = {quality: set(face["timings_ms"]) for quality, face in faces.items()}
    assert "refiner" not in steps["fast"] and "refiner" in steps["normal"]
    albedos = {quality: face["coefficients"]["albedo"] for quality, face in faces.items()}
    assert albedos["fast"] != albedos["normal"] != albedos["best"]


def test_no_refine_and_refine_take_precedence_over_quality(tmp_path):
    code, _, err = run(
        *("reconstruct", SAMPLE, "--quality", "best", "--no-refine", "--formats", "json", "--out", tmp_path)
    )
    assert code == 0, err
    face = json.loads((tmp_path / "astronaut" / "face.json").read_text())
    assert "refiner" not in face["timings_ms"]
    code, _, err = run("reconstruct", SAMPLE, "--refine", "surface", "--linear", "--out", tmp_path / "linear")
    assert code == 2 and "leaves the linear model" in " ".join(err.split())


def test_best_leaves_the_linear_model_and_linear_does_not(tmp_path):
    """face.obj is the shape of the coefficients and displacement.npy; the linear result replaces that file, too."""
    folder, model = tmp_path / "astronaut", default_face_model()
    call = ("reconstruct", SAMPLE, "--quality", "best", "--hair", "none", "--formats", "json,obj", "--out", tmp_path)
    for linear in (False, True):
        code, _, err = run(*call, *["--linear"] * linear)
        assert code == 0, err
        face = json.loads((folder / "face.json").read_text())
        values = {name: np.array([value], np.float32) for name, value in face["coefficients"].items()}
        shape = 100 * model.shape(FaceCoefficients(**values))[0]
        lines = [line.split()[1:4] for line in (folder / "face.obj").read_text().splitlines() if line[:2] == "v "]
        moved = np.array(lines, float)[: len(shape)] - shape
        assert (face["displacement"] is None) == linear == (not (folder / "displacement.npy").exists())
        if linear:
            assert np.abs(moved).max() < 0.01
        else:
            displacement = np.load(folder / face["displacement"])
            assert displacement.shape == shape.shape and displacement.dtype == np.float32
            assert 0.05 < np.linalg.norm(displacement, axis=1).max() < 10  # millimetres
            np.testing.assert_allclose(moved, displacement, atol=0.01)
