"""Measuring reconstructions: landmarks and shape against references, on frozen, published and synthetic sets."""

from deep3d.datasets.frozen import HeadSet, PortraitSet, read_heads, read_portraits
from deep3d.evaluation.measurement import Benchmark, FacePredictor, Measurement, PredictedLandmarks, PredictedMesh
from deep3d.evaluation.report import Report, Table
from deep3d.evaluation.run import StageProgress, run_evaluation

__all__ = [
    "Benchmark",
    "FacePredictor",
    "HeadSet",
    "Measurement",
    "PortraitSet",
    "PredictedLandmarks",
    "PredictedMesh",
    "Report",
    "StageProgress",
    "Table",
    "read_heads",
    "read_portraits",
    "run_evaluation",
]
