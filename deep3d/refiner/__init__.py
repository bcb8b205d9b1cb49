"""Refinement of the dense landmarks of a face, on the photo unwrapped by the mesh."""

from deep3d.refiner.calibration import refiner_ranges
from deep3d.refiner.chart import FaceChart
from deep3d.refiner.refiner import LandmarkRefiner, refiner_calibration
from deep3d.refiner.weights import RefinerWeights, read_refiner, refiner_path, write_refiner

__all__ = [
    "FaceChart",
    "LandmarkRefiner",
    "RefinerWeights",
    "read_refiner",
    "refiner_calibration",
    "refiner_path",
    "refiner_ranges",
    "write_refiner",
]
