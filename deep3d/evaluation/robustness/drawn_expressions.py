"""Heads drawn with one named expression at full strength: whether face.glb's weights tell which it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d.camera import Camera, Pose, clip_space, depth, place, project
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.face_model import FaceModel
from deep3d.fitting.named_expressions import expression_weights
from deep3d.rendering.cpu import CpuRasterizer
from deep3d.whole_head.lids import behind_lids

PIXELS = 512
SEED = 100
_SINGLE = ("eyeBlink", "browDown", "browOuterUp", "mouthSmile", "mouthFrown")
EXPRESSIONS: tuple[tuple[str, ...], ...] = (
    *((f"{name}_{side}",) for name in _SINGLE for side in "LR"),
    *((f"{name}_L", f"{name}_R") for name in ("browInnerUp", *_SINGLE)),
    ("eyeLookUp_L", "eyeLookUp_R"),
    ("eyeLookIn_L", "eyeLookOut_R"),
    ("eyeLookOut_L", "eyeLookIn_R"),
    ("jawOpen",),
    ("mouthPucker",),
)
"""What is drawn, in turn: the open model's names."""


def expression_benchmark(model: FaceModel, count: int, scratch: Path) -> Benchmark:
    """`count` heads, drawn into a folder that must exist while they are measured."""
    rng = np.random.default_rng(SEED)
    drawn = [EXPRESSIONS[number % len(EXPRESSIONS)] for number in range(count)]
    scratch.mkdir(parents=True, exist_ok=True)
    photos = [scratch / f"{number:04d}_{'+'.join(names)}.png" for number, names in enumerate(drawn)]
    for photo, names in zip(photos, drawn, strict=True):
        Image.fromarray(drawn_head(model, names, rng)).save(photo)

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        return _measure(predictor, photos, drawn, progress)

    caption = (
        "Heads with one expression at full strength: its weight in face.glb (of two sides the smaller), the largest of "
        "the other weights, and 1 where the expression has 0.6 or more and the largest."
    )
    columns = (("weight", "mean"), ("other", "mean"), ("told", "mean"))
    return Benchmark("expressions", caption, columns, measure, decimals=3)


def drawn_head(model: FaceModel, expressions: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """A photo (512, 512, 3) uint8 of somebody before a plain wall who makes these expressions of the model."""
    weights = np.zeros((1, len(model.expression_names)), np.float32)
    weights[0, [model.expression_names.index(name) for name in expressions]] = 1
    identity = 0.8 * rng.standard_normal((1, 80)).astype(np.float32)
    albedo = model.albedo(rng.standard_normal((1, 80)).clip(-2, 2).astype(np.float32))[0]
    hair = (model.skin < 0.1) & (model.mean_shape[:, 1] > 0.45)
    albedo = np.where(hair[:, None], rng.uniform(0.03, 0.3), albedo)
    pose = Pose(yaw=rng.uniform(-15, 15), pitch=rng.uniform(-8, 8), roll=rng.uniform(-5, 5))
    offsets = model.expression_offsets(weights)[0]
    for name in expressions:
        offsets = behind_lids(model, name, offsets)  # an eyeball that comes through is no shut eye
    shape = (model.neutral_shape(identity) + offsets).astype(np.float32)
    placed = place(shape, pose.to_rotation()[None].astype(np.float32), np.zeros((1, 3), np.float32))
    lamp = np.array([rng.uniform(-0.5, 0.5), 0.5, 0.75])
    lit = 0.45 + 0.6 * np.clip(model.normals(placed)[0] @ lamp / np.linalg.norm(lamp), 0, 1)
    camera = Camera(focal_length_px=1500.0, column=PIXELS / 2, row=PIXELS / 2)
    clip = clip_space(project(placed, camera), depth(placed, camera), (PIXELS, PIXELS)).astype(np.float32)
    rasterizer = CpuRasterizer()
    fragments = rasterizer.rasterize(clip, model.triangles, (PIXELS, PIXELS))
    colours = np.clip(albedo * lit[:, None] * 290, 0, 255).astype(np.float32)
    head = rasterizer.interpolate(colours[None], fragments, model.triangles)[0]
    return np.where(fragments.triangle[0][..., None] >= 0, head, rng.uniform(40, 220, 3)).astype(np.uint8)


def _measure(
    predictor: FacePredictor, photos: Sequence[Path], drawn: Sequence[tuple[str, ...]], progress: Progress | None
) -> Measurement | None:
    if not isinstance(predictor, ReconstructorPredictor):
        return None
    own, other = np.full((2, len(photos)), np.nan)
    for row, face in enumerate(predictor.reconstructions(photos)):
        if face is not None:
            names = list(face.face_model.expression_names)
            weights = expression_weights(face)
            chosen = [names.index(name) for name in drawn[row]]
            own[row], other[row] = weights[chosen].min(), np.delete(weights, chosen).max()
        if progress is not None:
            progress(row + 1, len(photos))
    told = np.where(np.isnan(own), np.nan, (own >= 0.6) & (own >= other))
    kinds = np.array(["+".join(dict.fromkeys(name.split("_")[0] for name in names)) for names in drawn])
    groups = {"expression": {str(kind): kinds == kind for kind in dict.fromkeys(kinds.tolist())}}
    return Measurement(tuple(photos), {"told": told, "weight": own, "other": other}, groups)
