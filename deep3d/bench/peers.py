"""Other programs on the same photo: eos-py fits the Surrey model to landmarks, MediaPipe and 3DDFA_V2 find faces.

Nothing else needs them, and they need files that are not part of this project.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deep3d.bench.figures import Section, compared
from deep3d.bench.photos import Pipeline
from deep3d.bench.timing import race
from deep3d.errors import ExtraMissing, FaceModelInvalid, FaceModelMissing
from deep3d.face_model.surrey import BLENDSHAPES, SHAPE
from deep3d.photo import read_photo
from deep3d.pipeline.from_landmarks import fit_photo
from deep3d.reconstruction import Reconstruction

_MAPPING, _CONTOURS, _EDGES = "ibug_to_sfm.txt", "sfm_model_contours.json", "sfm_3448_edge_topology.json"

LandmarkFit = Callable[[np.ndarray, tuple[int, int]], object]
"""Fits a face to (68, 2) landmarks of a photo of that width and height."""


def load_eos(share: Path | None) -> LandmarkFit:
    """The fit of eos' own example: pose, identity, expressions and the visible outline in five rounds.

    Raises: ExtraMissing without eos-py or without the folder, FaceModelMissing, FaceModelInvalid.
    """
    try:
        import eos  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ExtraMissing("eos-py is not installed; pip install eos-py") from error
    if share is None:
        raise ExtraMissing("--eos-share names no folder with the files that eos has in `share`")
    for name in (SHAPE, BLENDSHAPES, _MAPPING, _CONTOURS, _EDGES):
        if not (share / name).is_file():
            raise FaceModelMissing(f"{share}: {name} missing; take the folder `share` of eos")
    path = {name: str(share / name) for name in (SHAPE, BLENDSHAPES, _MAPPING, _CONTOURS, _EDGES)}
    try:
        neutral = eos.morphablemodel.load_model(path[SHAPE])
        model = eos.morphablemodel.MorphableModel(
            neutral.get_shape_model(),
            eos.morphablemodel.load_blendshapes(path[BLENDSHAPES]),
            color_model=eos.morphablemodel.PcaModel(),
            vertex_definitions=None,
            texture_coordinates=neutral.get_texture_coordinates(),
        )
        mapper = eos.core.LandmarkMapper(path[_MAPPING])
        edges = eos.morphablemodel.load_edge_topology(path[_EDGES])
        outline = eos.fitting.ContourLandmarks.load(path[_MAPPING])
        contours = eos.fitting.ModelContour.load(path[_CONTOURS])
    except Exception as error:  # eos raises all kinds of errors on damaged files
        raise FaceModelInvalid(f"{share}: eos cannot read its files there; fetch them again") from error

    def fit(landmarks68: np.ndarray, size: tuple[int, int]) -> object:
        points = [eos.core.Landmark(str(number), point) for number, point in enumerate(landmarks68, start=1)]
        return eos.fitting.fit_shape_and_pose(model, points, mapper, *size, edges, outline, contours)

    return fit


def load_mediapipe(model: Path | None) -> Pipeline:
    """MediaPipe on single pictures: the points of the largest face, by Face Landmarker or, without its file, Face Mesh.

    Versions up to 0.10.21 bring the networks of Face Mesh along; it is used in static mode.

    Raises: ExtraMissing without MediaPipe or without its file, FaceModelMissing, FaceModelInvalid.
    """
    try:
        import mediapipe  # pyright: ignore[reportMissingImports]
        from mediapipe.tasks.python import BaseOptions, vision  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ExtraMissing("MediaPipe is not installed; pip install mediapipe") from error
    if model is None:
        return _face_mesh(mediapipe)
    if not model.is_file():
        raise FaceModelMissing(f"{model}: no such file; take MediaPipe's face_landmarker.task")
    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(model)))
    try:
        landmarker = vision.FaceLandmarker.create_from_options(options)
    except Exception as error:  # as above
        raise FaceModelInvalid(f"{model}: not a file for MediaPipe's Face Landmarker; fetch it again") from error

    def find(content: bytes) -> object:
        pixels = read_photo(content).pixels
        return landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels))

    return find


def _face_mesh(mediapipe: Any) -> Pipeline:
    if not hasattr(mediapipe, "solutions"):
        raise ExtraMissing("--mediapipe-model names no face_landmarker.task")
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1)

    def find(content: bytes) -> object:
        return mesh.process(read_photo(content).pixels)

    return find


@contextmanager
def mediapipe_beside(python: Path) -> Iterator[Pipeline]:
    """Face Mesh in a process of another environment: MediaPipe's protobuf is older than that of other packages.

    Raises: ExtraMissing if that Python cannot run it.
    """
    with _beside(python, "face_mesh.py") as find:
        if find is None:
            raise ExtraMissing(
                f"{python}: has no MediaPipe with Face Mesh; pip install mediapipe==0.10.21 pillow there"
            )
        yield find


@contextmanager
def tddfa_beside(python: Path, folder: Path) -> Iterator[Pipeline]:
    """3DDFA_V2 in a process of an environment that runs it, from a folder with its code, built, and its networks.

    Raises: ExtraMissing if that Python cannot run it.
    """
    with _beside(python, "tddfa.py", str(folder.absolute())) as find:
        if find is None:
            raise ExtraMissing(f"{folder}: 3DDFA_V2 does not run there with {python}; try its demo.py --onnx first")
        yield find


@contextmanager
def _beside(python: Path, program: str, *arguments: str) -> Iterator[Pipeline | None]:
    """A program of `bench/programs` in another environment; None if it does not start.

    Raises: ExtraMissing if there is no such Python.
    """
    command = [str(python), str(Path(__file__).with_name("programs") / program), *arguments]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise ExtraMissing(f"{python}: cannot be run ({error.strerror})") from error
    with process:
        assert process.stdin is not None and process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def find(content: bytes) -> object:
            asked.write(len(content).to_bytes(4, "little") + content)
            asked.flush()
            return int.from_bytes(answers.read(4), "little")

        yield find if answers.read(4) else None


def fit_section(face: Reconstruction, eos: LandmarkFit | None, skipped: tuple[str, ...], rounds: int) -> Section:
    """A face from 68 given landmarks, without any network."""
    size = face.photo.pixels.shape[1], face.photo.pixels.shape[0]
    points = face.landmarks68
    contestants: dict[str, Callable[[], object]] = {
        "deep3d fit": lambda: fit_photo(face.photo, points, face.face_model).vertices
    }
    base = None
    if eos is not None:
        base = "eos-py"
        contestants[base] = lambda: eos(points, size)
    title = "Fit a face to 68 given landmarks"
    return Section(title, tuple(compared(race(contestants, rounds), base)), base, skipped)
