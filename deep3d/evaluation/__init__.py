"""Measuring reconstructions: landmark error on real portraits, scan-to-mesh error on heads of known shape."""

from deep3d.evaluation.confidence import ConfidenceErrors, evaluate_confidence
from deep3d.evaluation.datasets import HeadSet, PortraitSet, read_heads, read_portraits
from deep3d.evaluation.landmarks import LandmarkErrors, PredictedLandmarks, evaluate_landmarks
from deep3d.evaluation.mean_face import MeanFace
from deep3d.evaluation.report import Report, ReportRow
from deep3d.evaluation.run import FacePredictor, run_evaluation
from deep3d.evaluation.scans import PredictedMesh, ScanErrors, evaluate_scans

__all__ = [
    "ConfidenceErrors",
    "FacePredictor",
    "HeadSet",
    "LandmarkErrors",
    "MeanFace",
    "PortraitSet",
    "PredictedLandmarks",
    "PredictedMesh",
    "Report",
    "ReportRow",
    "ScanErrors",
    "evaluate_confidence",
    "evaluate_landmarks",
    "evaluate_scans",
    "read_heads",
    "read_portraits",
    "run_evaluation",
]
