"""Fit the face model to landmarks: coefficients that explain where a face's points are seen."""

from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.landmark_files import read_landmarks68
from deep3d.fitting.landmarks import Fit, Priors, fit_landmarks
from deep3d.fitting.photo import fit_photo
from deep3d.fitting.photometric import PhotoFit, SeenLandmarks, fit_photo_colours
from deep3d.fitting.reflectance import ColourPriors, fit_reflectance
from deep3d.fitting.together import fit_together

__all__ = [
    "ColourPriors",
    "Fit",
    "LandmarkBasis",
    "PhotoFit",
    "Priors",
    "SeenLandmarks",
    "fit_landmarks",
    "fit_photo",
    "fit_photo_colours",
    "fit_reflectance",
    "fit_together",
    "read_landmarks68",
]
