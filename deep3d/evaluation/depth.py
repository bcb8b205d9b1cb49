"""Errors of depth maps and normals of faces: the field's measures, in millimetres and degrees.

Heights are relative: except for `offset`, their mean inside the face is first set to the true one. The scale-invariant
error also removes the scale (Eigen et al., 2014, on heights). The delta thresholds are shares of pixels that are off by
less than 1, 2 and 4 mm, because ratios of depths mean little when the whole face is a metre away.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from deep3d.dense import DenseEstimator
from deep3d.dense.estimator import mesh_maps
from deep3d.dense.maps import SurfaceMaps
from deep3d.errors import CheckpointMissing
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, Progress
from deep3d.evaluation.predictor import ReconstructorPredictor
from deep3d.face_model import FaceModel
from deep3d.mesh import MILLIMETRES
from deep3d.synthetic.mapped_heads import SKIN, MappedHeadGenerator, MappedHeads
from deep3d.synthetic.people.free_shapes import FreeShapes
from deep3d.synthetic.people.region_shapes import RegionShapes

THRESHOLDS = (1.0, 2.0, 4.0)  # millimetres
JUMP = 12.0  # millimetres from pixel to pixel: the outline of a nose in front of a cheek, not the inside of a face
EARS, THROAT = 0.1, 0.15  # decimetres behind the ends of the jaw and below the chin, where a face ends
FEWEST = 200  # pixels of a face that is measured
SEED = 990_000_003  # of heads to measure on: training runs count their seeds from 0
BATCH = 8
MESH = "mesh "  # before the names of what is measured of the mesh alone
COLUMNS = tuple((of + name, "mean") for name in ("rmse", "mae", "angle") for of in ("", MESH))


@dataclass(frozen=True)
class DepthErrors:
    """Of one face, inside of it."""

    mae: float  # millimetres
    rmse: float  # millimetres
    scale_invariant: float  # millimetres rms
    offset: float  # millimetres by which the whole face is too near
    delta1: float  # share of pixels off by less than 1 mm
    delta2: float  # 2 mm
    delta4: float  # 4 mm
    angle: float  # degrees, mean of the normals'
    angle_median: float  # degrees


def depth_benchmark(model: FaceModel, count: int, folder: Path) -> Benchmark:
    """Depth and normals of `count` heads, drawn into the folder: by the dense network, and by the fitted mesh alone.

    Half of them leave the linear model as those that the network has learned from, half in another way.
    """
    ways = {"smooth": FreeShapes.of(model).draw, "by regions": RegionShapes.of(model).draw}
    counts = {"smooth": count - count // 2, "by regions": count // 2}
    heads: list[MappedHeads] = []
    for number, (way, displace) in enumerate(ways.items()):
        generator = MappedHeadGenerator(model, SEED + number, displace)
        sizes = [min(BATCH, counts[way] - start) for start in range(0, counts[way], BATCH)]
        heads += [generator.draw_mapped(size) for size in sizes]
    photos = _write(heads, folder)
    shapes = np.arange(count) < counts["smooth"]

    def measure(predictor: FacePredictor, progress: Progress | None) -> Measurement | None:
        if not isinstance(predictor, ReconstructorPredictor):
            return None
        errors: dict[str, list[float]] = {}
        for some in heads:
            for name, values in _measured(predictor, some).items():
                errors.setdefault(name, []).extend(values)
            if progress is not None:
                progress(len(errors[MESH + "rmse"]), count)
        groups = {"shapes": {"smooth": shapes, "by regions": ~shapes}}
        return Measurement(photos, {name: np.array(values) for name, values in errors.items()}, groups)

    caption = "Depth inside the face of synthetic heads: millimetres and degrees, by the network and by the mesh alone."
    return Benchmark("depth", caption, COLUMNS, measure)


def _measured(predictor: ReconstructorPredictor, heads: MappedHeads) -> dict[str, list[float]]:
    """Each error of each head by the network, if there is one, and by the mesh; NaN where a face is too small."""
    reconstructor = predictor.reconstructor
    model = reconstructor.face_model
    face, cameras = reconstructor.fit_crops(heads.crops)
    said = {MESH: mesh_maps(model, face, cameras)}
    with suppress(CheckpointMissing):
        estimator = DenseEstimator.beside(reconstructor.checkpoint.path, model)
        said[""] = estimator(heads.crops, face, cameras).surface.at(heads.maps.height.shape[1])
    names = [field.name for field in fields(DepthErrors)]
    errors = {of: head_errors(model, heads, maps) for of, maps in said.items()}
    unknown = [None] * len(heads.crops)
    return {
        of + name: [np.nan if each is None else asdict(each)[name] for each in errors.get(of, unknown)]
        for of in ("", MESH)
        for name in names
    }


def _write(heads: list[MappedHeads], folder: Path) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    crops = np.concatenate([some.crops for some in heads])
    paths = tuple(folder / f"head_{number:04d}.png" for number in range(len(crops)))
    for path, crop in zip(paths, crops, strict=True):
        Image.fromarray(crop).save(path)
    return paths


def head_errors(model: FaceModel, heads: MappedHeads, said: SurfaceMaps) -> list[DepthErrors | None]:
    """Errors of maps of made-up heads where their skin is seen, between ears, hair and throat; None of small faces."""
    points = model.landmarks(model.mean_shape[None])[0]
    behind, below = points[[0, 16], 2].mean() - EARS, points[8, 1] - THROAT
    errors = []
    for b, true in enumerate(heads.maps.coordinates):
        face = (true[..., 2] > behind) & (true[..., 1] > below) & heads.maps.covered[b] & said.covered[b]
        height = heads.maps.height[b] * MILLIMETRES
        inside = inside_face(face & (heads.classes[b] == SKIN), height)
        found = (said.height[b] * MILLIMETRES, said.normals[b], height, heads.maps.normals[b])
        errors.append(depth_errors(*found, inside))
    return errors


def inside_face(face: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Mask (S, S) of the pixels of a face (S, S) that do not touch its border or a jump of heights in millimetres."""
    jump = ndimage.maximum_filter(height, 3) - ndimage.minimum_filter(height, 3) > JUMP
    return np.asarray(ndimage.binary_erosion(face)) & np.logical_not(ndimage.binary_dilation(jump))


def depth_errors(
    height: np.ndarray, normals: np.ndarray, true_height: np.ndarray, true_normals: np.ndarray, mask: np.ndarray
) -> DepthErrors | None:
    """Errors of heights (S, S) in millimetres and unit normals (S, S, 3) inside a mask; None where it is too small."""
    if mask.sum() < FEWEST:
        return None
    error = height[mask].astype(np.float64) - true_height[mask]
    offset = float(error.mean())
    centred = error - offset
    fit = np.column_stack([height[mask], np.ones(len(error))])
    scaled = true_height[mask] - fit @ np.linalg.lstsq(fit, true_height[mask], rcond=None)[0]
    cosine = np.clip((normals[mask] * true_normals[mask]).sum(axis=-1), -1, 1)
    angles = np.degrees(np.arccos(cosine))
    return DepthErrors(
        mae=float(np.abs(centred).mean()),
        rmse=float(np.sqrt((centred**2).mean())),
        scale_invariant=float(np.sqrt((scaled**2).mean())),
        offset=offset,
        **{f"delta{limit:.0f}": float((np.abs(centred) < limit).mean()) for limit in THRESHOLDS},
        angle=float(angles.mean()),
        angle_median=float(np.median(angles)),
    )


def mean_errors(errors: list[DepthErrors | None]) -> DepthErrors:
    """The mean of each over faces that are not too small, of the offset that of its size."""
    known = [each for each in errors if each is not None]
    values = {field.name: [getattr(each, field.name) for each in known] for field in fields(DepthErrors)}
    values["offset"] = np.abs(values["offset"]).tolist()
    return DepthErrors(**{name: float(np.mean(each)) for name, each in values.items()})
