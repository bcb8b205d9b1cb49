"""Fitting to both cues of a face, landmarks and the photo's colours, by Gauss-Newton.

One energy, one step: each cue brings the normal equations of its own residuals, weighted by its own confidence, and the
priors theirs. The unknowns are pose, perspective, identity, expression, smooth displacements beyond the linear model,
skin, light, and the strength of ambient occlusion. The rasteriser finds the visible points and is run again a few
times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deep3d.camera import Camera
from deep3d.coefficients import ALBEDO_COUNT, FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.fitting.basis import LandmarkBasis, SurfaceBasis
from deep3d.fitting.colours import OCCLUSION, ColourCue, SmoothPhoto, blended
from deep3d.fitting.free_shape import absorbed, unfolded
from deep3d.fitting.iteration import POSE, FaceState, initial_state, to_coefficients
from deep3d.fitting.joint import joint_covariances, joint_steps
from deep3d.fitting.landmarks import Priors, normal_equations, prior_covariance, shared_priors
from deep3d.fitting.reflectance import ColourPriors, Reflectance
from deep3d.fitting.shadows import main_light, reached
from deep3d.fitting.unknowns import Equations, FittedFace
from deep3d.fitting.visible import VisibleSurface

PRIORS = Priors(expression=0.15, identity=1.1)
"""Stronger for expression, since the start is nearer to the photo; weaker for identity, which colours inform."""
COLOUR_PRIORS = ColourPriors(trust=0.18, albedo=1.2)
"""A weaker albedo prior: skin nearer to the photo's leaves less for the shape to explain."""
ASTRAY = 1.5
"""A fit whose colours end so many times farther from the photo's than they began is not kept.

Not from 1 on, for the distance counts all colours alike, and the fit does not: 16 of 216 tuning portraits end with
1.005 to 1.31 times the distance, and with landmarks that are 2% nearer.
"""
ROUNDS = 2  # runs of the rasteriser
STEPS = 3  # of each round
NO_SKIN = "no skin of the face is seen"
NO_NUMBERS = "landmarks or colours are not finite numbers"
MOVED_AWAY = "the colours moved away from the photo's"
STRIDE = 4  # pixel step of the used pixels; a finer one takes twice the time and gains less than one percent


@dataclass(frozen=True)
class SeenLandmarks:
    """The observed landmarks of one face."""

    basis: LandmarkBasis
    points: np.ndarray  # (N, 2) crop pixels
    deviation: np.ndarray  # (N,) crop pixels


@dataclass(frozen=True)
class LandmarkCue:
    """Landmarks as a cue, with the priors of pose and shape."""

    seen: SeenLandmarks
    believed: FaceState  # B = 1, about which the priors are
    priors: Priors

    def equations(self, surface: VisibleSurface, face: FittedFace) -> Equations:
        """The equations of pose and shape."""
        points, deviation = self.seen.points[None], self.seen.deviation[None]
        normal, gradient = normal_equations(self.seen.basis, face.state, self.believed, points, deviation, self.priors)
        return Equations(normal[0], gradient[0])


@dataclass(frozen=True)
class PhotoFit:
    """One face fitted to its photo.

    `difference` includes ambient occlusion; the coefficients are the light without it.
    """

    coefficients: FaceCoefficients  # B = 1
    displacement: np.ndarray  # (V, 3) float32 decimetres beyond the linear model
    camera: Camera
    difference: float  # mean distance of colours in [0, 1] over the visible skin
    failure: str  # why the start is kept; "" for a fit that is kept
    covariance: np.ndarray  # (144, 144) of identity and expression: by both cues, or by the priors alone if unknown
    folds: int = 0  # triangles that displacements would have folded; damped there

    @property
    def kept(self) -> bool:
        """Whether this is the fit, not its start."""
        return not self.failure


@dataclass(frozen=True)
class View:
    """One photo of a face, and its state before the fit."""

    crop: np.ndarray  # (224, 224, 3) uint8 RGB
    landmarks: SeenLandmarks
    regressed: FaceCoefficients  # B = 1, about which the priors are
    start: FaceCoefficients  # B = 1, start of the iteration
    camera: Camera  # of the start


def fit_photo_colours(
    view: View,
    model: FaceModel,
    priors: Priors = PRIORS,
    colour_priors: ColourPriors = COLOUR_PRIORS,
    displaced: bool = False,
) -> PhotoFit:
    """Fit one face to its crop and to landmarks in it.

    The shape stays within the linear model unless `displaced` is set.
    """
    return fit_person_colours([view], model, priors, colour_priors, displaced)[0]


def fit_person_colours(
    views: Sequence[View],
    model: FaceModel,
    priors: Priors = PRIORS,
    colour_priors: ColourPriors = COLOUR_PRIORS,
    displaced: bool = False,
) -> list[PhotoFit]:
    """Fit one person in several views: identity, displacements and albedo are shared, everything else is separate.

    The views must start with one identity. A view without skin, or whose colours move away, keeps its start, except for
    what the views share.
    """
    basis = model.derived(SurfaceBasis.of, not displaced)
    albedo = np.mean([view.start.albedo for view in views], axis=0)
    views = [replace(view, start=replace(view.start, albedo=albedo)) for view in views]
    fits = [_ViewFit.at_start(view, basis, priors, colour_priors, len(views)) for view in views]
    shared = _shared(basis)
    for _ in range(ROUNDS):
        for fit in fits:
            fit.rasterize()
        for _ in range(STEPS):
            _step_together(fits, basis, shared)
    _state_covariances(fits, basis, shared)
    return [fit.result(alone=len(fits) == 1) for fit in fits]


def _step_together(fits: Sequence[_ViewFit], basis: SurfaceBasis, shared: np.ndarray) -> None:
    """One step of all views; one that shows nothing, or nothing but nonsense, takes part in what is shared."""
    seeing = _seeing(fits)
    if not seeing:
        return
    steps = joint_steps([equations for _, equations in seeing], shared)
    for (fit, _), step in zip(seeing, steps, strict=True):
        fit.face = fit.face.apply_step(basis, step)
    person = np.zeros_like(steps[0])
    person[shared] = steps[0][shared]
    for fit in fits:
        if fit.surface is None:
            fit.face = fit.face.apply_step(basis, person)


def _seeing(fits: Sequence[_ViewFit]) -> list[tuple[_ViewFit, Equations]]:
    """The views that show something, and their equations, each with its share of the person's priors.

    A view whose equations are not finite drops out only once they are known; the others then share anew.
    """
    while True:
        seeing = [(fit, equations) for fit in fits if (equations := fit.equations()) is not None]
        if all(fit.sharing == len(seeing) for fit, _ in seeing):
            return seeing
        for fit, _ in seeing:
            fit.sharing = len(seeing)


def _shared(basis: SurfaceBasis) -> np.ndarray:
    """Numbers of the unknowns that are a person's: identity, displacements, albedo."""
    shape, albedo = POSE + basis.directions.shape[2], ALBEDO_COUNT
    person = [np.arange(POSE, POSE + basis.identities), np.arange(POSE + basis.linear, shape + albedo)]
    return np.concatenate(person)


def _state_covariances(fits: Sequence[_ViewFit], basis: SurfaceBasis, shared: np.ndarray) -> None:
    """Give each view the covariance of its shape, by the equations of the last step."""
    seeing = [(fit, fit.latest) for fit in fits if fit.latest is not None and fit.surface is not None]
    if seeing:
        wanted = np.arange(POSE, POSE + basis.linear)
        covariances = joint_covariances([equations for _, equations in seeing], shared, wanted)
        for (fit, _), covariance in zip(seeing, covariances, strict=True):
            fit.covariance = covariance


@dataclass
class _ViewFit:
    """One view during the iteration."""

    view: View
    basis: SurfaceBasis
    linear: SurfaceBasis  # basis of the visible surface: colours do not move displacements
    colours: ColourCue
    landmarks: LandmarkCue
    sharing: int  # the number of views that share the person's priors
    face: FittedFace
    covariance: np.ndarray  # (144, 144) of identity and expression
    latest: Equations | None = None  # of the latest step
    surface: VisibleSurface | None = None
    before: float = np.inf  # difference of colours at the start
    failure: str = ""  # why nothing is told

    @classmethod
    def at_start(
        cls, view: View, basis: SurfaceBasis, priors: Priors, colour_priors: ColourPriors, views: int
    ) -> _ViewFit:
        """One of so many views at the start."""
        model, count = basis.model, basis.displacements
        seen = replace(view.landmarks, basis=view.landmarks.basis.widened(basis.directions.shape[2]))
        landmarks = LandmarkCue(seen, initial_state(view.regressed, displacements=count), priors)
        colours = ColourCue(SmoothPhoto(view.crop), model, Reflectance.of(view.regressed), colour_priors)
        linear = model.derived(SurfaceBasis.of, True)
        face = FittedFace(initial_state(view.start, view.camera, count), Reflectance.of(view.start), OCCLUSION)
        return cls(view, basis, linear, colours, landmarks, views, face, prior_covariance(basis, priors))

    def rasterize(self) -> None:
        """Rasterise the face to find its visible points."""
        coefficients, (camera,) = to_coefficients(self.basis, self.face.state, self.view.start)
        shape = self.face.state.shape[0]
        vertices = self.basis.model.shape(coefficients)[0] + self.basis.displacement(shape)
        first = self.before == np.inf
        surface = VisibleSurface.seen(self.linear, vertices, coefficients, camera, shape, STRIDE)
        self.surface = None if surface is None else self._lit(surface, vertices)
        self.failure = "" if self.surface else NO_SKIN
        if first and self.surface is not None:
            self.before = self.colours.difference(self.surface, self.face)

    def _lit(self, surface: VisibleSurface, vertices: np.ndarray) -> VisibleSurface:
        """The surface, with the shares of the main light that reach its points."""
        model, toward = self.basis.model, main_light(self.face.skin.light) @ self.face.state.turn[0]
        normals = model.normals(vertices[None])[0]
        lit = reached(model, vertices, normals, toward)
        return replace(surface, lit=blended(lit, surface.corners, surface.weights))

    def equations(self) -> Equations | None:
        """The equations of a step; None, and `failure` says why, where nothing is seen, or not in numbers."""
        if self.surface is None:
            return None
        landmarks = replace(self.landmarks, priors=shared_priors(self.landmarks.priors, self.sharing))
        equations = self.colours.equations(self.surface, self.face) + landmarks.equations(self.surface, self.face)
        if np.isfinite(equations.gradient).all() and np.isfinite(equations.normal).all():
            self.latest = equations
            return equations
        self.surface, self.failure = None, NO_NUMBERS
        return None

    def result(self, alone: bool) -> PhotoFit:
        """The face, or its start if the fit went astray; unless `alone`, with what the views share."""
        after = np.inf if self.surface is None else self.colours.difference(self.surface, self.face)
        if after < ASTRAY * self.before:  # false for what is not a number, too
            return self._as_fit(after)
        nothing = np.zeros_like(self.basis.mean)
        failure = self.failure or MOVED_AWAY
        stays = PhotoFit(self.view.start, nothing, self.view.camera, self.before, failure, self.covariance)
        if alone or not np.isfinite(self.face.state.shape).all():
            return stays
        person = self._as_fit(self.before)
        kept = replace(self.view.start, identity=person.coefficients.identity, albedo=person.coefficients.albedo)
        return replace(stays, coefficients=kept, displacement=person.displacement, folds=person.folds)

    def _as_fit(self, difference: float) -> PhotoFit:
        """The face as coefficients and displacements without folds, as far as possible in the former."""
        basis, state, skin = self.basis, self.face.state, self.face.skin
        coefficients, (camera,) = to_coefficients(basis, state, self.view.start)
        poses = np.concatenate([basis.model.neutral_shape(coefficients.identity), basis.model.shape(coefficients)])
        smooth, folds = unfolded(basis.model, poses, basis.displacement(state.shape[0]))
        identity, rest = absorbed(basis, coefficients.identity[0], smooth)
        albedo, lighting = (values[None].astype(np.float32) for values in (skin.albedo, skin.lighting))
        coefficients = replace(coefficients, identity=identity[None], albedo=albedo, lighting=lighting)
        return PhotoFit(coefficients, rest, camera, difference, "", self.covariance, folds)
