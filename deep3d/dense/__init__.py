"""A closer look at a face, pixel by pixel: depth, normals, which point of the model it is, and what covers it."""

from deep3d.dense.architecture import FULL, SLIM, Dpt, UNet
from deep3d.dense.calibration import dense_ranges
from deep3d.dense.depth_mesh import PinholeCamera, depth_to_mesh
from deep3d.dense.estimator import DenseEstimator, DenseMaps, dense_calibration
from deep3d.dense.weights import DenseWeights, dense_path, read_dense, write_dense

__all__ = [
    "DenseEstimator",
    "DenseMaps",
    "DenseWeights",
    "Dpt",
    "FULL",
    "PinholeCamera",
    "SLIM",
    "UNet",
    "dense_calibration",
    "dense_path",
    "dense_ranges",
    "depth_to_mesh",
    "read_dense",
    "write_dense",
]
