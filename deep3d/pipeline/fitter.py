"""Fits of faces to what the networks saw of them: first landmarks, then colours; one by one or several of a person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from deep3d.camera import DEEP3D_CAMERA, Camera
from deep3d.coefficients import IDENTITY, FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting import (
    LandmarkBasis,
    PhotoFit,
    Priors,
    SeenLandmarks,
    SurfaceBasis,
    View,
    fit_covariance,
    fit_landmarks,
    fit_person_colours,
    fit_reflectance,
    fit_together,
    prior_covariance,
    read_mouths,
    trusted_deviation,
)
from deep3d.pipeline.networks import Refiner
from deep3d.pipeline.same_person import identity_agreement
from deep3d.regression import DenseLandmarks, Regression

IDENTITIES = IDENTITY.stop - IDENTITY.start

Refinement = Literal["none", "landmarks", "photometric", "surface"]
REFINEMENTS: tuple[Refinement, ...] = get_args(Refinement)
"""Steps of the fit after the network; each includes those before it, and "surface" leaves the linear model."""
NO_FACE_FITS = "no face of the model is nearer to the landmarks than the network's"


@dataclass(frozen=True)
class Fitted:
    """B faces after a fit."""

    coefficients: FaceCoefficients
    cameras: tuple[Camera, ...]
    failures: tuple[str, ...]  # B, why the start of the fit is kept; "" for a fit that is kept
    covariance: tuple[np.ndarray | None, ...]  # B, (144, 144) of identity and expression
    displacement: tuple[np.ndarray | None, ...]  # B, (V, 3) decimetres beyond the linear model
    folds: tuple[int, ...]  # B, triangles at which displacements were damped

    @classmethod
    def linear(
        cls,
        coefficients: FaceCoefficients,
        cameras: tuple[Camera, ...],
        failures: tuple[str, ...],
        covariance: tuple[np.ndarray | None, ...],
    ) -> Fitted:
        """Faces of the linear model."""
        count = len(coefficients)
        return cls(coefficients, cameras, failures, covariance, (None,) * count, (0,) * count)


@dataclass(frozen=True)
class Fitter:
    """Fits the face model to crops by what the networks saw in them, as far as its refinement asks for."""

    face_model: FaceModel
    basis: LandmarkBasis  # of the dense landmarks
    dense_vertices: tuple[int, ...]
    refinement: Refinement
    refiner: Refiner | None

    def fit(self, crops: np.ndarray, regression: Regression, person: np.ndarray | None = None) -> Fitted:
        """The faces of B crops (B, 224, 224, 3) uint8 RGB.

        `person` (B,) is the number of each face's person, None to fit each face separately.
        """
        return self._to_colours(crops, regression, self._to_landmarks(crops, regression, person), person)

    def fit_person(self, crops: np.ndarray, regression: Regression, person: np.ndarray) -> Fitted:
        """The person of number 0 fitted in all its photos, then again to the landmarks that are found from that shape.

        It is nearer to the person than what one photo gives, so that the refiner sees more. Strangers are fitted alone.
        """
        fitted = self.fit(crops, regression, person)
        dense, members = regression.dense, np.flatnonzero(person == 0)
        if self.refiner is None or dense is None or len(members) < 2 or self.refinement == "none":
            return fitted
        cameras = tuple(fitted.cameras[member] for member in members)
        seen = self.refiner([*crops[members]], fitted.coefficients[members], cameras)
        points, deviation = dense.points.copy(), dense.deviation.copy()
        points[members], deviation[members] = seen.points, seen.deviation
        again = replace(regression, dense=DenseLandmarks(points, deviation))
        return self.fit(crops, again, person)

    def agreement(self, regression: Regression) -> np.ndarray:
        """(B, B) how far pairs of faces agree in identity, by a fit of each to its landmarks if there are some."""
        start, dense = regression.coefficients, regression.dense
        if dense is None:
            unknown = np.tile(prior_covariance(self.basis, Priors()), (len(start), 1, 1))
            return identity_agreement(start.identity, unknown[:, :IDENTITIES, :IDENTITIES])
        points, deviation, believed = self._believed(dense, start)
        fit = fit_landmarks(self.basis, points, deviation, believed)
        covariance = fit_covariance(self.basis, fit, points, deviation)
        return identity_agreement(fit.coefficients.identity, covariance[:, :IDENTITIES, :IDENTITIES])

    def _to_landmarks(self, crops: np.ndarray, regression: Regression, person: np.ndarray | None = None) -> Fitted:
        """The faces fitted to dense landmarks and skin colours, where there are some; `person` as in `fit`."""
        dense, start = regression.dense, regression.coefficients
        if self.refinement == "none" or dense is None or not len(crops):
            count = len(start)
            return Fitted.linear(start, (DEEP3D_CAMERA,) * count, ("",) * count, (None,) * count)
        points, deviation, start = self._believed(dense, start)
        if person is None:
            fit = fit_landmarks(self.basis, points, deviation, start)
        else:
            fit = fit_together(self.basis, points, deviation, start, person)
        lit = fit_reflectance([*crops], self.face_model, fit.coefficients, fit.cameras)
        known = self.refinement == "landmarks"  # otherwise the next fit states its own
        covariance = fit_covariance(self.basis, fit, points, deviation) if known else [None] * len(start)
        failures = tuple("" if kept else NO_FACE_FITS for kept in fit.kept)
        return Fitted.linear(lit, fit.cameras, failures, (*covariance,))

    def _to_colours(
        self,
        crops: np.ndarray,
        regression: Regression,
        fitted: Fitted,
        person: np.ndarray | None = None,
    ) -> Fitted:
        """The faces fitted also to the colours of the crops; `person` as in `fit`."""
        dense = regression.dense
        if dense is None or not len(crops) or self.refinement not in ("photometric", "surface"):
            return fitted
        points, deviation, believed = self._believed(dense, regression.coefficients)
        displaced = self.refinement == "surface"
        surface = self.face_model.derived(SurfaceBasis.of, not displaced)
        basis = surface.at(self.dense_vertices)
        views = [
            View(
                crop,
                SeenLandmarks(basis, points[number], deviation[number]),
                believed[number],
                fitted.coefficients[number],
                fitted.cameras[number],
            )
            for number, crop in enumerate(crops)
        ]
        people = np.arange(len(views)) if person is None else person
        fits: dict[int, PhotoFit] = {}
        for number in np.unique(people):
            rows = np.flatnonzero(people == number).tolist()
            some = fit_person_colours([views[row] for row in rows], self.face_model, displaced=displaced)
            fits |= zip(rows, some, strict=True)
        return _colour_fitted(fitted, [fits[row] for row in range(len(views))], displaced)

    def _believed(
        self, dense: DenseLandmarks, start: FaceCoefficients
    ) -> tuple[np.ndarray, np.ndarray, FaceCoefficients]:
        """The landmarks and deviations for a fit, and its start."""
        return read_mouths(dense.points, trusted_deviation(dense.deviation), start, self.face_model.expression_names)


def _colour_fitted(fitted: Fitted, fits: list[PhotoFit], displaced: bool) -> Fitted:
    """The faces fitted to their colours; those whose fit failed stay unchanged."""
    vectors = np.concatenate([fit.coefficients.to_vector() for fit in fits])
    failures = tuple(before or fit.failure for before, fit in zip(fitted.failures, fits, strict=True))
    moved = tuple(fit.displacement if displaced and fit.displacement.any() else None for fit in fits)
    cameras, folds = tuple(fit.camera for fit in fits), tuple(fit.folds for fit in fits)
    covariance = tuple(fit.covariance for fit in fits)
    return Fitted(FaceCoefficients.from_vector(vectors), cameras, failures, covariance, moved, folds)
