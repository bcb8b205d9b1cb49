"""A closer look at a face: its dense landmarks once more, from the photo as the mesh unwraps it."""

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
