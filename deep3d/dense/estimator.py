"""Estimates a face per pixel: height and normal of its surface, what covers it, and the deviation of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from deep3d.camera import CROP_SIZE, Camera, clip_space, depth, place, project, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.dense.architecture import Dpt
from deep3d.dense.graph import dense_graph, observed
from deep3d.dense.layers import CLASSES
from deep3d.dense.maps import MAP_SIZE, SurfaceMaps, reduced, surface_maps
from deep3d.dense.weights import DenseWeights, dense_path, read_dense
from deep3d.errors import CheckpointInvalid, CheckpointMissing, ExtraMissing
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint, read_checkpoint
from deep3d.runtime import Choice, Network, choose_runtime, load_network, network_precision
from deep3d.runtime.calibration import Calibration

_PICTURE = (CROP_SIZE, CROP_SIZE)
_SEEN = [CLASSES.index(name) for name in ("skin", "glasses", "beard", "brows")]


@dataclass(frozen=True)
class DenseMaps:
    """Maps of B crops, S x S pixels each; S is the network's `map_size`."""

    surface: SurfaceMaps
    deviation: np.ndarray  # (B, S, S, 3) expected of height (decimetres), normal (radians) and place (decimetres)
    classes: np.ndarray  # (B, S, S, C) probabilities of `layers.CLASSES`

    @property
    def seen(self) -> np.ndarray:
        """(B, S, S) bool: where the head itself is visible, also through glasses."""
        return self.surface.covered & (self.classes[..., _SEEN].sum(axis=-1) > 0.5)


class DenseEstimator:
    """Maps of faces whose shape and pose are known roughly: how their surface differs from their mesh."""

    def __init__(self, network: Network, model: FaceModel, map_size: int = MAP_SIZE) -> None:
        self._network, self._model, self._size = network, model, map_size

    @classmethod
    def load(
        cls, weights: DenseWeights, checkpoint: Checkpoint, model: FaceModel, beside: Choice, threads: int | None
    ) -> DenseEstimator:
        """Load the network into the runtime of the regressor `beside` it.

        A U-Net computes in eight bits if that one does in OpenVINO and ranges for it exist, a DPT in torch.

        Raises: RuntimeUnavailable if the ranges cannot be read; for a DPT ExtraMissing without torch or timm,
        CheckpointInvalid if the weights are not its.
        """
        size = weights.architecture.map_size
        if isinstance(weights.architecture, Dpt):
            return cls(_load_dpt(weights, weights.architecture, threads), model, size)
        eight = network_precision(beside) == "int8"
        calibration = dense_calibration(weights, checkpoint) if eight else None
        ranges = calibration.read() if calibration is not None and calibration.path.exists() else None
        return cls(load_network(dense_graph(weights, checkpoint, ranges), beside, threads), model, size)

    @classmethod
    def beside(
        cls,
        checkpoint: str | Path | None,
        model: FaceModel,
        runtime: str | None = None,
        threads: int | None = None,
        precision: str | None = None,
    ) -> DenseEstimator:
        """Load the network beside a checkpoint (None for the shipped one); see `runtime.load_runtime`.

        Raises: CheckpointMissing if there is none, or another CheckpointError; RuntimeUnavailable; ConfigError.
        """
        owner = read_checkpoint(checkpoint)
        weights = read_dense(owner)
        if weights is None:
            raise CheckpointMissing(f"{dense_path(owner)}: no dense network here; fetch it, or train it")
        return cls.load(weights, owner, model, choose_runtime(owner, runtime, precision), threads)

    def __call__(self, crops: np.ndarray, coefficients: FaceCoefficients, cameras: Sequence[Camera]) -> DenseMaps:
        """Maps of B faces in (B, 224, 224, 3) uint8 RGB crops, one camera per crop."""
        mesh = mesh_maps(self._model, coefficients, cameras, self._size)
        surface, sure, classes = (np.moveaxis(each, 1, -1) for each in self._network(*dense_input(crops, mesh)))
        normals = surface[..., 1:4] / np.maximum(np.linalg.norm(surface[..., 1:4], axis=-1, keepdims=True), 1e-6)
        maps = SurfaceMaps(mesh.covered, surface[..., 0], normals, surface[..., 4:])
        return DenseMaps(maps, np.exp(sure.clip(-4, 4)) * np.array([0.01, 1, 0.01], np.float32), classes)


def _load_dpt(weights: DenseWeights, architecture: Dpt, threads: int | None) -> Network:
    """Raises: ExtraMissing, CheckpointInvalid."""
    if find_spec("torch") is None:
        raise ExtraMissing(f"{weights.path}: a DPT computes in torch; pip install 'deep3d[torch,dpt]'")
    from deep3d.dense.dpt import TorchDpt

    try:
        return TorchDpt(architecture, weights.arrays, threads)
    except ValueError as error:
        raise CheckpointInvalid(f"{weights.path}: {error}; fetch or train it again") from error


def dense_calibration(weights: DenseWeights, checkpoint: Checkpoint) -> Calibration:
    """Where the ranges of a U-Net's activations are kept."""
    names = tuple(observed(weights, checkpoint).activations)
    return Calibration(weights.path, weights.sha256, names, weights.checkpoint)


def mesh_maps(model: FaceModel, face: FaceCoefficients, cameras: Sequence[Camera], size: int = MAP_SIZE) -> SurfaceMaps:
    """Maps, `size` pixels a side, of the meshes of B faces, each seen by its own camera."""
    vertices = model.shape(face)
    turn = rotation_matrix(face.rotation).mT
    placed = place(vertices, face.rotation, face.translation)
    clip = np.concatenate(
        [
            clip_space(project(one[None], camera), depth(one[None], camera), _PICTURE)
            for one, camera in zip(placed, cameras, strict=True)
        ]
    )
    normals = model.normals(vertices) @ turn
    return surface_maps(clip.astype(np.float32), vertices @ turn, normals, model.mean_shape, model.triangles, size)


def dense_input(crops: np.ndarray, mesh: SurfaceMaps) -> tuple[np.ndarray, np.ndarray]:
    """The inputs of `dense_graph` from crops (B, 224, 224, 3) uint8 and maps of their meshes."""
    parts = (mesh.covered[..., None], mesh.height[..., None], mesh.normals, mesh.coordinates)
    maps = np.concatenate(parts, axis=-1, dtype=np.float32)
    colours = reduced(crops, mesh.height.shape[1]) * np.float32(1 / 255)
    return _channels_first(colours), _channels_first(maps)


def _channels_first(maps: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(maps, -1, 1))
