"""What many tests need: a small made-up face model and, where it is there, the data beside the checkout."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
import pytest

from deep3d.alignment import STANDARD_POINTS, align
from deep3d.camera import DEEP3D_CAMERA
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import Components, FaceModel, default_face_model, read_face_model, write_face_model
from deep3d.face_model.bfm2009 import read_bfm2009
from deep3d.face_model.foreign import write_foreign_model
from deep3d.network.architecture import TRUNKS
from deep3d.network.checkpoints import Checkpoint, CheckpointInfo, read_checkpoint, write_checkpoint
from deep3d.photo import Photo
from deep3d.reconstruction import Reconstruction

COLUMNS, ROWS = 11, 13  # vertices across and down
EXPRESSIONS = (  # of the open model, in its order
    "browDown_L browDown_R browInnerUp_L browInnerUp_R browOuterUp_L browOuterUp_R cheekPuff_L cheekPuff_R "
    "cheekSquint_L cheekSquint_R eyeBlink_L eyeBlink_R eyeLookDown_L eyeLookDown_R eyeLookIn_L eyeLookIn_R "
    "eyeLookOut_L eyeLookOut_R eyeLookUp_L eyeLookUp_R eyeSquint_L eyeSquint_R eyeWide_L eyeWide_R jawForward jawLeft "
    "jawOpen jawRight mouthClose mouthDimple_L mouthDimple_R mouthFrown_L mouthFrown_R mouthFunnel mouthLeft "
    "mouthLowerDown_L mouthLowerDown_R mouthPress_L mouthPress_R mouthPucker mouthRight mouthRollLower mouthRollUpper "
    "mouthShrugLower mouthShrugUpper mouthSmile_L mouthSmile_R mouthStretch_L mouthStretch_R mouthUpperUp_L "
    "mouthUpperUp_R noseSneer_L noseSneer_R"
).split()
LANDMARK_PLACES = [  # x to the right and y up in [-1, 1] on the face, per stroke of the 68-point scheme
    *[(-0.9 * np.cos(a), 0.1 - 0.95 * np.sin(a)) for a in np.linspace(0, np.pi, 17)],
    *[(x, 0.45 + 0.06 * np.sin(i)) for i, x in enumerate(np.linspace(-0.65, -0.15, 5))],
    *[(x, 0.45 + 0.06 * np.sin(4 - i)) for i, x in enumerate(np.linspace(0.15, 0.65, 5))],
    *[(0.0, y) for y in np.linspace(0.3, -0.05, 4)],
    *[(x, -0.15) for x in np.linspace(-0.15, 0.15, 5)],
    *[(-0.4 - 0.15 * np.cos(a), 0.25 + 0.06 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 6, endpoint=False)],
    *[(0.4 - 0.15 * np.cos(a), 0.25 + 0.06 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 6, endpoint=False)],
    *[(-0.3 * np.cos(a), -0.45 + 0.12 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)],
    *[(-0.2 * np.cos(a), -0.45 + 0.04 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 8, endpoint=False)],
]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Plans and compiled networks of tests and of commands that they start are not those of the user (but on macOS)."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(variable, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def garbage_is_found_in_the_end() -> Iterator[None]:
    """Commands that run in this process keep their objects from being looked at; Triton would call them leaks."""
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def model() -> FaceModel:
    """The shipped face model; what is derived from it is worked out once for all tests."""
    return default_face_model()


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """The shipped checkpoint."""
    return read_checkpoint()


def make_toy_model_arrays() -> dict[str, np.ndarray]:
    """The arrays of a face model file: 143 vertices on half an ellipsoid, smooth random bases, a symmetric mesh."""
    generator = np.random.default_rng(68)
    v, u = (grid.ravel() for grid in np.meshgrid(np.linspace(1, -1, ROWS), np.linspace(-1, 1, COLUMNS), indexing="ij"))
    mean = np.stack([0.75 * u, v, 0.8 * np.sqrt(1 - 0.45 * u**2 - 0.45 * v**2)], axis=1)
    mean -= mean.mean(axis=0)
    waves = np.stack([np.sin(i * u + j * v + i) for i in range(4) for j in range(4)])

    def basis(count: int, size: float) -> np.ndarray:
        fields = generator.normal(size=(count, 3, len(waves))) @ waves
        return (size / np.sqrt(1 + np.arange(count))[:, None, None] * fields.transpose(0, 2, 1)).astype(np.float32)

    number = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    landmark_triangles, landmark_weights = _on_mesh(np.array(LANDMARK_PLACES), np.stack([u, v], axis=1), triangles)
    return {
        "mean_shape": mean.astype(np.float32),
        "mean_albedo": (np.array([0.75, 0.55, 0.45]) + 0.1 * np.stack([v, u, v], axis=1)).astype(np.float32),
        "identity_basis": basis(80, 0.01),
        "expression_basis": basis(64, 0.02),
        "albedo_basis": basis(80, 0.01),
        "albedo_scale": np.ones(80, np.float32),
        "triangles": triangles,
        "uv": (np.stack([u, v], axis=1) / 2 + 0.5).astype(np.float32),
        "uv_triangles": triangles,
        "landmark_triangles": landmark_triangles,
        "landmark_weights": landmark_weights,
        "skin": (np.maximum(abs(u), abs(v)) < 1).astype(np.uint8) * 255,
        "mirror": number[:, ::-1].ravel().astype(np.int32),
    }


def make_toy_model_metadata() -> dict[str, str]:
    """The metadata of a face model file."""
    return {
        "name": "toy",
        "version": "1",
        "licence": "MIT",
        "source": "made up",
        "expression_names": json.dumps([f"expression{k}" for k in range(64)]),
    }


@pytest.fixture(scope="session")
def toy_model_arrays() -> dict[str, np.ndarray]:
    """The arrays of the toy face model."""
    return make_toy_model_arrays()


@pytest.fixture(scope="session")
def toy_model_metadata() -> dict[str, str]:
    """The metadata of the toy face model."""
    return make_toy_model_metadata()


@pytest.fixture(scope="session")
def toy_model_path(tmp_path_factory: pytest.TempPathFactory, toy_model_arrays, toy_model_metadata) -> Path:
    """A face model file of the toy face model."""
    path = tmp_path_factory.mktemp("face_model") / "toy.safetensors"
    write_face_model(path, toy_model_arrays, toy_model_metadata)
    return path


@pytest.fixture(scope="session")
def toy_face_model(toy_model_path: Path) -> FaceModel:
    """A small made-up face model, numpy, of 143 vertices and 240 triangles."""
    return read_face_model(toy_model_path)


@pytest.fixture(scope="session")
def toy_checkpoint_arrays() -> dict[str, np.ndarray]:
    """The state dict of a ResNet-18 regressor with random weights that keep signals alive, and small outputs."""
    generator = np.random.default_rng(18)
    arrays: dict[str, np.ndarray] = {}
    for name, shape in TRUNKS["resnet18"].tensor_shapes().items():
        noise = generator.standard_normal(shape, np.float32)
        if name.startswith("final_layers"):
            arrays[name] = 0.0005 * noise
        elif len(shape) == 4:
            arrays[name] = noise * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        elif name.endswith("num_batches_tracked"):
            arrays[name] = np.array(7, np.int64)
        else:
            arrays[name] = (name.endswith(("weight", "running_var")) + 0.1 * abs(noise)).astype(np.float32)
    return arrays


@pytest.fixture(scope="session")
def toy_checkpoint_info(toy_face_model: FaceModel) -> CheckpointInfo:
    """Metadata of a checkpoint that belongs to the toy face model."""
    return CheckpointInfo(
        name="toy",
        version="1",
        trunk="resnet18",
        face_model=f"{toy_face_model.info.name} {toy_face_model.info.version}",
        face_model_sha256=toy_face_model.info.sha256,
        training_data="none",
        accuracy={"portraits NME51 %": 50.0},
        licence="MIT",
        created="2025-01-31",
    )


@pytest.fixture(scope="session")
def toy_checkpoint_path(tmp_path_factory: pytest.TempPathFactory, toy_checkpoint_arrays, toy_checkpoint_info) -> Path:
    """An int8 checkpoint file with random weights for the toy face model."""
    path = tmp_path_factory.mktemp("checkpoint") / "toy.safetensors"
    write_checkpoint(path, toy_checkpoint_info, toy_checkpoint_arrays, "int8")
    return path


@pytest.fixture(scope="session")
def toy_checkpoint(toy_checkpoint_path: Path) -> Checkpoint:
    """The int8 checkpoint with random weights for the toy face model."""
    return read_checkpoint(toy_checkpoint_path)


@pytest.fixture(scope="session")
def arkit_face_model(toy_face_model: FaceModel) -> FaceModel:
    """The toy face model with ARKit's expressions, each moving a part of the face, and a UV seam down the middle."""
    names = (*EXPRESSIONS, *(f"corrective{k}" for k in range(11)))
    basis = toy_face_model.expression_basis.reshape(64, -1, 3).copy()
    for component, offsets in enumerate(basis):
        offsets[component : component + 70] = 0
    right = toy_face_model.uv[toy_face_model.triangles].mean(axis=1)[:, 0] > 0.5
    left_chart, right_chart = toy_face_model.uv * [0.9, 1], toy_face_model.uv * [0.9, 1] + [0.1, 0]
    return replace(
        toy_face_model,
        expression_names=names,
        expression_components=Components.of(basis.reshape(64, -1)),
        uv=np.concatenate([left_chart, right_chart]).astype(np.float32),
        uv_triangles=(toy_face_model.triangles + len(toy_face_model.uv) * right[:, None]).astype(np.int32),
    )


@pytest.fixture(scope="session")
def toy_reconstruction(arkit_face_model: FaceModel) -> Reconstruction:
    """A made-up face in a made-up photo of 400 x 300 pixels."""
    from deep3d.detection.detector import Detection

    generator = np.random.default_rng(257)
    rows, columns = np.mgrid[:300, :400]
    pixels = np.stack([columns * 255 // 399, rows * 255 // 299, (rows + columns) % 256], axis=2).astype(np.uint8)
    five_points = np.array([210, 160]) + STANDARD_POINTS[:, :2] * [110, -110]
    vector = np.zeros((1, 257), np.float32)
    vector[:, :80] = generator.normal(size=80)
    vector[:, 80:144] = generator.uniform(-0.2, 1.2, 64)
    vector[:, 144:224] = generator.normal(size=80)
    vector[:, 224:227] = 0.1, -0.3, 0.05
    vector[:, 254:257] = 0.05, -0.1, 0.4
    reconstruction = Reconstruction(
        photo=Photo(pixels, "anna.jpg", "1" * 64),
        detection=Detection(box=np.array([120.0, 60, 300, 260]), score=0.98, landmarks=five_points),
        crop=align(pixels, five_points),
        coefficients=FaceCoefficients.from_vector(vector),
        face_model=arkit_face_model,
        camera=DEEP3D_CAMERA,
        checkpoint_name="toy",
        checkpoint_sha256="2" * 64,
        timings_ms={"detect": 12.3456},
    )
    texture = generator.integers(0, 256, (16, 16, 3), np.uint8).repeat(16, axis=0).repeat(16, axis=1)
    return _with_texture(reconstruction, texture)


@pytest.fixture(scope="session")
def with_texture() -> Callable[..., Reconstruction]:
    """A function that gives a copy of a reconstruction, with a texture that is not worked out from its photo."""
    return _with_texture


def _with_texture(reconstruction: Reconstruction, texture: np.ndarray, **changes: Any) -> Reconstruction:
    given = replace(reconstruction, **changes)
    given.__dict__["texture"] = texture  # where the cached property keeps it
    return given


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data beside the checkout; tests that need it are skipped without it."""
    path = Path(__file__).parents[1] / "../shared"
    if not path.is_dir():
        pytest.skip("no ../shared beside this checkout: golden vectors and evaluation photos are not there")
    return path.resolve()


@pytest.fixture(scope="session")
def face_model_golden(shared: Path) -> dict[str, np.ndarray]:
    """Golden vectors of the reference implementation for shape, pose, light and projection."""
    with np.load(shared / "parity" / "face_model.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="session")
def bfm2009_folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a researcher has it: made-up data in the original files of the 2009 model, and the index files."""
    folder = tmp_path_factory.mktemp("BFM")
    recipe = run_path(str(shared / "parity" / "synthetic_bfm09.py"))
    with np.load(shared / "parity" / "face_model.npz") as golden:
        recipe["synthetic_bfm09"](folder, int(golden["synthetic_seed"]))
    for file in (shared / "parity" / "bfm_indices").iterdir():
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="session")
def bfm2009_model_path(bfm2009_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """These files as a face model file; its UVs are the view from the front, since xatlas would take half a minute."""
    model = read_bfm2009(bfm2009_folder)
    path = tmp_path_factory.mktemp("bfm2009") / "bfm2009.safetensors"
    uv = (model.mean_shape[:, :2] / np.ptp(model.mean_shape[:, :2], axis=0) + 0.5).clip(0, 1)
    write_foreign_model(path, replace(model, uv=(uv, model.triangles)))
    return path


@pytest.fixture(scope="session")
def bfm2009_model(bfm2009_model_path: Path) -> FaceModel:
    """The made-up 2009 model: 35,709 vertices, 70,789 triangles."""
    return read_face_model(bfm2009_model_path)


def _on_mesh(places: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The triangle (P,) that holds each 2D place, and its barycentric weights (P, 3)."""
    corners = np.concatenate([vertices[triangles], np.ones((len(triangles), 3, 1))], axis=2)
    targets = np.concatenate([places, np.ones((len(places), 1))], axis=1)
    weights = np.linalg.solve(corners.transpose(0, 2, 1)[None], targets[:, None, :, None])[..., 0]
    holders = weights.min(axis=2).argmax(axis=1)
    return holders.astype(np.int32), weights[np.arange(len(places)), holders].astype(np.float32)
