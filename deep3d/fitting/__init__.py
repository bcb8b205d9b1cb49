"""Fit the face model to a photo: coefficients that explain the landmarks and colours of a face."""

from deep3d.fitting.basis import LandmarkBasis, SurfaceBasis
from deep3d.fitting.landmark_files import read_landmarks68, told_placement
from deep3d.fitting.landmarks import Fit, Priors, fit_covariance, fit_landmarks, prior_covariance, trusted_deviation
from deep3d.fitting.lips import read_mouths
from deep3d.fitting.photometric import PhotoFit, SeenLandmarks, View, fit_person_colours, fit_photo_colours
from deep3d.fitting.reflectance import ColourPriors, fit_reflectance
from deep3d.fitting.together import fit_together

__all__ = [
    "ColourPriors",
    "Fit",
    "LandmarkBasis",
    "PhotoFit",
    "Priors",
    "SeenLandmarks",
    "SurfaceBasis",
    "View",
    "fit_covariance",
    "fit_landmarks",
    "fit_person_colours",
    "fit_photo_colours",
    "fit_reflectance",
    "fit_together",
    "prior_covariance",
    "read_landmarks68",
    "read_mouths",
    "told_placement",
    "trusted_deviation",
]
