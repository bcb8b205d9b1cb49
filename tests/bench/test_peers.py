"""Other programs: measured where they are, named where they are not."""

import io
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from deep3d.bench.peers import fit_section, load_eos, load_mediapipe, mediapipe_beside, tddfa_beside
from deep3d.errors import ExtraMissing, FaceModelInvalid, FaceModelMissing


@pytest.fixture
def photo_bytes():
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "peru").save(content, "JPEG")
    return content.getvalue()


@pytest.mark.parametrize(("package", "load"), [("eos", load_eos), ("mediapipe", load_mediapipe)])
def test_a_missing_package_is_named(monkeypatch, tmp_path, package, load):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing, match=r"is not installed; pip install"):
        load(tmp_path)


def test_face_mesh_stands_in_for_face_landmarker_where_it_is(monkeypatch, photo_bytes):
    """As versions up to 0.10.21 have it, with its networks."""
    options, seen = [], []

    def face_mesh(**chosen):
        options.append(chosen)
        return SimpleNamespace(process=lambda pixels: seen.append(pixels.shape))

    package = ModuleType("mediapipe")
    tasks = ModuleType("mediapipe.tasks.python")
    for name in ("BaseOptions", "vision"):
        setattr(tasks, name, None)
    for name, module in (
        ("mediapipe", package),
        ("mediapipe.tasks", ModuleType("")),
        ("mediapipe.tasks.python", tasks),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(ExtraMissing, match="--mediapipe-model"):
        load_mediapipe(None)
    package.__dict__["solutions"] = SimpleNamespace(face_mesh=SimpleNamespace(FaceMesh=face_mesh))
    load_mediapipe(None)(photo_bytes)
    assert options == [{"static_image_mode": True, "max_num_faces": 1}] and len(seen) == 1


FACE_MESH = """
from types import SimpleNamespace
class FaceMesh:
    def __init__(self, static_image_mode, max_num_faces):
        assert static_image_mode and max_num_faces == 1
    def process(self, pixels):
        faces = [SimpleNamespace(landmark=[None] * int(pixels.shape[1]))] if pixels[0, 0, 0] > 100 else None
        return SimpleNamespace(multi_face_landmarks=faces)
solutions = SimpleNamespace(face_mesh=SimpleNamespace(FaceMesh=FaceMesh))
"""


def test_face_mesh_in_another_environment_answers_photo_after_photo(monkeypatch, tmp_path, photo_bytes):
    (tmp_path / "mediapipe.py").write_text(FACE_MESH, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    dark = io.BytesIO()
    Image.new("RGB", (64, 48), "black").save(dark, "JPEG")
    with mediapipe_beside(Path(sys.executable)) as find:
        assert [find(photo_bytes), find(dark.getvalue()), find(photo_bytes)] == [64, 0, 64]


def test_an_environment_without_mediapipe_is_told(monkeypatch, tmp_path):
    (tmp_path / "mediapipe.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for python, wrong in ((Path(sys.executable), "has no MediaPipe"), (tmp_path / "none", "cannot be run")):
        with pytest.raises(ExtraMissing, match=wrong), mediapipe_beside(python):
            pass


TDDFA = {
    "cv2.py": "IMREAD_COLOR = 1\ndef imdecode(content, how):\n    return content",
    "yaml.py": "def safe_load(file):\n    return {'size': int(file.read())}",
    "configs/mb05_120x120.yml": "120",
    "FaceBoxes/__init__.py": "",
    "FaceBoxes/FaceBoxes_ONNX.py": """
print("FaceBoxes speaks")
class FaceBoxes_ONNX:
    def __call__(self, pixels):
        return [(0, 0, 9, 9, 0.9)] * (len(pixels) % 3)
""",
    "TDDFA_ONNX.py": """
from numpy import zeros
class TDDFA_ONNX:
    def __init__(self, size):
        self.size = size
    def __call__(self, pixels, boxes):
        assert len(boxes) == 1
        return "parameters", "regions"
    def recon_vers(self, parameters, regions, dense_flag):
        return [zeros((3, self.size if dense_flag else 68))]
""",
}


def test_3ddfa_in_its_own_folder_answers_photo_after_photo(tmp_path):
    """What it prints does not reach the answers."""
    for name, content in TDDFA.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    with tddfa_beside(Path(sys.executable), tmp_path) as find:
        assert [find(b"1234"), find(b"123"), find(b"12345")] == [120, 0, 120]


def test_a_folder_without_3ddfa_is_told(tmp_path):
    with pytest.raises(ExtraMissing, match="3DDFA_V2 does not run there"), tddfa_beside(Path(sys.executable), tmp_path):
        pass


def test_eos_without_its_folder_is_left_out():
    pytest.importorskip("eos")
    with pytest.raises(ExtraMissing, match="--eos-share"):
        load_eos(None)


def test_a_folder_without_the_files_of_eos_is_an_error(tmp_path):
    pytest.importorskip("eos")
    with pytest.raises(FaceModelMissing, match=r"sfm_shape_3448\.bin missing"):
        load_eos(tmp_path)


def test_damaged_files_of_eos_are_an_error(tmp_path):
    pytest.importorskip("eos")
    for name in (
        "sfm_shape_3448.bin expression_blendshapes_3448.bin ibug_to_sfm.txt sfm_model_contours.json "
        "sfm_3448_edge_topology.json"
    ).split():
        (tmp_path / name).write_bytes(b"not that")
    with pytest.raises(FaceModelInvalid, match="eos cannot read"):
        load_eos(tmp_path)


def test_both_fits_see_the_same_landmarks(toy_reconstruction):
    seen = []
    size = toy_reconstruction.photo.pixels.shape[1::-1]
    section = fit_section(toy_reconstruction, lambda *given: seen.append(given), (), rounds=1)
    for landmarks, given_size in seen:
        np.testing.assert_array_equal(landmarks, toy_reconstruction.landmarks68)
        assert given_size == size
    assert section.base == "eos-py" and [figure.name for figure in section.figures] == ["deep3d fit", "eos-py"]


def test_our_fit_alone_has_no_ratio(toy_reconstruction):
    section = fit_section(toy_reconstruction, None, ("eos-py is not installed",), rounds=1)
    assert section.base is None and len(section.figures) == 1 and section.skipped
