"""Fit the face model to a photo: coefficients that explain where a face's points are seen, and their colours.

`fitting.photometric` is imported by those who ask for it: it needs scipy, which takes a while.
"""

from deep3d.fitting.basis import LandmarkBasis
from deep3d.fitting.landmark_files import read_landmarks68, told_placement
from deep3d.fitting.landmarks import Fit, Priors, fit_landmarks, trusted_deviation
from deep3d.fitting.lips import read_mouths
from deep3d.fitting.reflectance import ColourPriors, fit_reflectance
from deep3d.fitting.together import fit_together

__all__ = [
    "ColourPriors",
    "Fit",
    "LandmarkBasis",
    "Priors",
    "fit_landmarks",
    "fit_reflectance",
    "fit_together",
    "read_landmarks68",
    "read_mouths",
    "told_placement",
    "trusted_deviation",
]
