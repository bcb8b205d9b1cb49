"""Refines the landmarks of a face: unwraps the photo by the mesh, and predicts the error of each landmark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deep3d.camera import Camera, place, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.refiner.chart import FaceChart, brighten
from deep3d.refiner.graph import observed, refiner_graph
from deep3d.refiner.layers import EXPRESSION_GAIN
from deep3d.refiner.mirror import Mirror
from deep3d.refiner.weights import RefinerWeights
from deep3d.regression import LOG_DEVIATION, DenseLandmarks
from deep3d.runtime import Choice, Network, load_network, network_precision
from deep3d.runtime.calibration import Calibration


class LandmarkRefiner:
    """Finds the dense landmarks of a face whose shape and pose are roughly known.

    Cascaded regression (Dollár et al., 2010) with a network, on images aligned by the face model.
    """

    def __init__(self, network: Network, chart: FaceChart, model: FaceModel) -> None:
        needed = chart.needed
        self._network, self._chart, self._surface = network, chart.among(needed), model.part(needed)
        self._mirror = Mirror.of(model, chart.vertices.tolist())

    @classmethod
    def load(cls, weights: RefinerWeights, model: FaceModel, beside: Choice, threads: int | None) -> LandmarkRefiner:
        """Load the network into the runtime of the regressor `beside` it.

        It computes in eight bits if that one does in OpenVINO and ranges for it exist.

        Raises: RuntimeUnavailable if the ranges cannot be read.
        """
        chart = FaceChart.of(model, weights.vertices)
        calibration = refiner_calibration(weights) if network_precision(beside) == "int8" else None
        ranges = calibration.read() if calibration is not None and calibration.path.exists() else None
        return cls(load_network(refiner_graph(weights, chart.places, ranges), beside, threads), chart, model)

    def __call__(
        self, crops: Sequence[np.ndarray], coefficients: FaceCoefficients, cameras: Sequence[Camera]
    ) -> DenseLandmarks:
        """The landmarks of B faces.

        `crops` are (224, 224, 3) uint8 RGB, each seen by its camera.
        """
        placed = self.placed(coefficients)
        inputs = self.inputs(crops, coefficients, placed, cameras)
        landmarks = self._mirror.mean(*np.split(self._network(*inputs)[0], 2))
        points = self._chart.seen(placed, cameras) + landmarks[..., :2] @ upright(coefficients.rotation)
        return DenseLandmarks(points, np.exp(landmarks[..., 2].clip(*LOG_DEVIATION)))

    def placed(self, coefficients: FaceCoefficients) -> np.ndarray:
        """The chart's vertices (B, P, 3) of faces, placed in front of the camera, decimetres."""
        return place(self._surface.shape(coefficients), coefficients.rotation, coefficients.translation)

    def inputs(
        self,
        crops: Sequence[np.ndarray],
        coefficients: FaceCoefficients,
        placed: np.ndarray,
        cameras: Sequence[Camera],
    ) -> tuple[np.ndarray, np.ndarray]:
        """The network's inputs for B `placed` faces, then for their mirror images.

        Charts (2 B, 9, S, S) and shapes (2 B, 144).
        """
        charts = np.stack([self._chart.unwrap(*each) for each in zip(crops, placed, cameras, strict=True)])
        brighten(charts)
        shapes = shape_input(coefficients)
        return (
            np.concatenate([charts, self._mirror.charts(charts)]),
            np.concatenate([shapes, shapes @ self._mirror.shape]),
        )


def refiner_calibration(weights: RefinerWeights) -> Calibration:
    """Where the ranges of a refiner's activations are kept."""
    return Calibration(weights.path, weights.sha256, tuple(observed(weights).activations), weights.checkpoint)


def shape_input(coefficients: FaceCoefficients) -> np.ndarray:
    """Identity and expression (B, 144) as input of the network."""
    gained = np.float32(EXPRESSION_GAIN) * coefficients.expression
    return np.concatenate([coefficients.identity, gained], axis=1, dtype=np.float32)


def upright(rotation: np.ndarray) -> np.ndarray:
    """The directions (B, 2, 2) to the right of and down an upright face, as columns and rows of pixels.

    `rotation` (B, 3) are angles in radians. Offsets along the face times this are offsets in pixels.
    """
    up = rotation_matrix(rotation)[:, :2, 1]
    x, y = (up / np.linalg.norm(up, axis=1, keepdims=True)).T
    return np.stack([np.stack([y, x], axis=1), np.stack([-x, y], axis=1)], axis=1).astype(np.float32)
