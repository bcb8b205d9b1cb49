"""Fit the face model to landmarks: coefficients that explain where a face's points are seen."""

from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.landmarks import Fit, Priors, fit_landmarks

__all__ = ["Fit", "LandmarkBasis", "Priors", "fit_landmarks"]
