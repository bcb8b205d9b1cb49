"""From aligned crops to face coefficients and dense landmarks: the one batched step."""

from deep3d.regression.regression import LOG_DEVIATION, DenseLandmarks, Regression
from deep3d.regression.regressor import Regressor

__all__ = ["LOG_DEVIATION", "DenseLandmarks", "Regression", "Regressor"]
