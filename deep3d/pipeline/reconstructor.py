"""From photos to reconstructions: observe the faces, then fit the face model to the observations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from deep3d.camera import Camera
from deep3d.coefficients import FaceCoefficients
from deep3d.confidence import Confidence, assess
from deep3d.dense import DenseEstimator, read_dense
from deep3d.detection.detector import FaceDetector, WhichFaces
from deep3d.errors import NoFaceFound
from deep3d.face_model import FaceModel, read_face_model
from deep3d.fitting import LandmarkBasis
from deep3d.hair import HairMask, hair_model, see_hair
from deep3d.memory import give_back_memory
from deep3d.network.checkpoints import Checkpoint, read_checkpoint
from deep3d.photo import Photo, read_photo
from deep3d.pipeline.fitter import Fitted, Fitter, Refinement
from deep3d.pipeline.networks import CropRegressor, Detector, Networks, Refiner
from deep3d.pipeline.observation import Candidate, Observation, crop_images
from deep3d.pipeline.observer import ALIGNMENTS, Observer
from deep3d.pipeline.same_person import SamePerson, Selection, photo_weights, share_identity
from deep3d.pipeline.stopwatch import Stopwatch
from deep3d.reconstruction import Reconstruction
from deep3d.refiner import LandmarkRefiner, read_refiner
from deep3d.regression import Regression, Regressor
from deep3d.runtime import Choice, Goal, choose_runtime, load_runtime, read_plan
from deep3d.runtime.cores import one_blas_thread

FIT_FAILED = "The fit to this photo failed: {}. This is the result without it."
FOLDED = "The surface would have folded in {} places: it was smoothed there."
STAYS_LINEAR = "The surface would have folded in {} places: it stays within the linear model."

HairChoice = Literal["none", "shell"]
"""What faces have on their heads: nothing, or hair as a shell."""

Quality = Literal["fast", "normal", "best"]
QUALITIES: dict[Quality, tuple[Refinement, int]] = {
    "fast": ("none", 1),
    "normal": ("photometric", ALIGNMENTS),
    "best": ("surface", ALIGNMENTS),
}
"""The fit of faces, and their largest number of crops."""


def _refiner(checkpoint: Checkpoint, model: FaceModel, beside: Choice, threads: int | None) -> LandmarkRefiner | None:
    """The refiner that lies beside a checkpoint, if one does."""
    weights = read_refiner(checkpoint)
    return None if weights is None else LandmarkRefiner.load(weights, model, beside, threads)


def _hair_finder(
    checkpoint: Checkpoint, model: FaceModel, beside: Choice, threads: int | None
) -> DenseEstimator | None:
    """What sees hair in photos, None where the face model or the checkpoint knows nothing of hair."""
    weights = None if hair_model(model) is None else read_dense(checkpoint)
    return None if weights is None else DenseEstimator.load(weights, checkpoint, model, beside, threads)


class Reconstructor:
    """Holds the detector, the networks and the face model; use it for any number of photos.

    face = Reconstructor.load()("photo.jpg")
    face.vertices, face.landmarks68, face.texture
    deep3d.write_results(face, "results/photo")
    """

    def __init__(
        self,
        face_model: FaceModel,
        detector: Detector,
        regressor: CropRegressor,
        checkpoint: Checkpoint,
        alignments: int = ALIGNMENTS,
        refinement: Refinement = "photometric",
        refiner: Refiner | None = None,
        dense: DenseEstimator | None = None,
    ) -> None:
        checkpoint.require_model(face_model.info)
        self.face_model = face_model
        self.checkpoint = checkpoint
        self.networks = Networks(detector, regressor, refiner)
        still = checkpoint.still_landmarks(face_model.info)
        self.basis = LandmarkBasis.of_vertices(face_model, checkpoint.dense_vertices, still)
        self.observer = Observer(self.basis, self.networks, alignments)
        self.refinement: Refinement = refinement if checkpoint.dense_vertices else "none"
        self.dense = dense

    @classmethod
    def load(
        cls,
        checkpoint: str | Path | None = None,
        face_model: str | Path | None = None,
        runtime: str | None = None,
        threads: int | None = None,
        precision: str | None = None,
        alignments: int | None = None,
        refinement: Refinement | None = None,
        goal: Goal = "latency",
        quality: Quality = "normal",
        hair: HairChoice = "none",
    ) -> Reconstructor:
        """Read the files (None for the shipped ones) and load the networks.

        `runtime`, `threads` and `precision` are those of `runtime.load_runtime`. Without a runtime, the plan of
        `deep3d tune` for the goal is used, or else the fastest runtime.

        The `quality` "fast" gives the regressed face of the detector's own crop, "normal" crops faces anew that it does
        not fit, and fits them to their dense landmarks, where there are some, and to the photo's colours; "best" lets
        the surface leave the linear model, too. `alignments`, how often a face is cropped at most, and `refinement`,
        what it is fitted to, take precedence over the quality. `hair` "shell" adds a mesh of the hair.

        Raises: FaceModelError, CheckpointError, RuntimeUnavailable, ConfigError.
        """
        with ThreadPoolExecutor(1) as aside:  # native code hashes and compiles without the interpreter lock
            read, model = aside.submit(read_checkpoint, checkpoint), read_face_model(face_model)
            weights = read.result()
            weights.require_model(model.info)
            if not runtime and (plan := read_plan(weights, goal)) is not None:
                runtime, threads, precision = plan.runtime, threads or plan.threads, precision or plan.precision
            chosen = choose_runtime(weights, runtime, precision)
            network = aside.submit(load_runtime, weights, chosen.name, threads, chosen.precision)
            dense = _hair_finder(weights, model, chosen, threads) if hair == "shell" else None
            weights = weights.without_weights()
            refiner = _refiner(weights, model, chosen, threads)
        regressor = Regressor(network.result(), weights.info.crop_size)
        give_back_memory()
        usual, crops = QUALITIES[quality]
        return cls(model, FaceDetector(), regressor, weights, alignments or crops, refinement or usual, refiner, dense)

    def refining(self, refinement: Refinement) -> Reconstructor:
        """The same reconstructor with another refinement."""
        other = copy(self)
        other.refinement = refinement if self.checkpoint.dense_vertices else "none"
        return other

    def with_quality(self, quality: Quality) -> Reconstructor:
        """The same networks with another quality, see `load`; "fast" makes no hair."""
        refinement, alignments = QUALITIES[quality]
        other = self.refining(refinement)
        other.observer = Observer(self.basis, self.networks, alignments)
        other.dense = None if quality == "fast" else self.dense
        return other

    def __call__(self, photo: str | Path | bytes | Photo) -> Reconstruction:
        """The largest face of one photo.

        Raises: PhotoError, such as NoFaceFound.
        """
        photo = photo if isinstance(photo, Photo) else read_photo(photo)
        faces = self.reconstruct([photo])[0]
        if not faces:
            raise NoFaceFound.in_photo(photo.name)
        return faces[0]

    def reconstruct(
        self, photos: Sequence[Photo], faces: WhichFaces = "largest", most: int | None = None
    ) -> list[list[Reconstruction]]:
        """The faces of each photo, the largest first, or an empty list; one batch for the network.

        `most` limits the faces per photo to the largest ones: each takes time and memory.
        """
        return list(self.one_by_one(photos, faces, most))

    def one_by_one(
        self, photos: Sequence[Photo], faces: WhichFaces = "largest", most: int | None = None
    ) -> Iterator[list[Reconstruction]]:
        """As `reconstruct`, but each photo's faces come as soon as they are fitted."""
        watch = Stopwatch()
        with one_blas_thread:
            seen = self.observer(photos, faces, self.refinement != "none", watch, most)
        for row in range(len(photos)):
            yield self._of_photo(seen.take(np.equal(seen.rows, row)), watch.split())

    @one_blas_thread
    def _of_photo(self, seen: Observation, watch: Stopwatch) -> list[Reconstruction]:
        """The faces that the networks saw in one photo."""
        if not len(seen):
            return []
        fitted = self._fitter.fit(crop_images(seen.candidates), seen.regression)
        watch.lap("fit", len(seen))
        return self._faces(seen.candidates, seen.regression, fitted, watch)

    @one_blas_thread
    def fit_crops(self, crops: np.ndarray) -> tuple[FaceCoefficients, tuple[Camera, ...]]:
        """Faces of (B, 224, 224, 3) uint8 RGB crops, and the camera of each in its crop; nothing is searched."""
        regression = self.observer.look(crops)
        fitted = self._fitter.fit(crops, regression)
        return fitted.coefficients, fitted.cameras

    @one_blas_thread
    def same_person(self, photos: Sequence[Photo]) -> SamePerson:
        """One person from several photos: identity and albedo are estimated together, the rest for each photo.

        Photos are weighted by their confidence. A photo that seems to show somebody else, or that shows another one's
        picture again, is reconstructed separately.
        The result names each photo that is left out. Only the largest face of each photo is used.

        Raises: NoFaceFound if no photo shows a face.
        """
        watch = Stopwatch()
        seen = self.observer(photos, "largest", self.refinement != "none", watch)
        rows, candidates, regression = seen.rows, seen.candidates, seen.regression
        if not candidates:
            raise NoFaceFound(
                f"{', '.join(photo.name for photo in photos)}: no face found in any photo; use other photos"
            )
        confidences = [_confidence(*each, regression) for each in enumerate(candidates)]
        expected = np.array([1.0 if confidence is None else confidence.landmark_error for confidence in confidences])
        crops = crop_images(candidates)
        sizes = np.array([np.ptp(candidate.detection.box.reshape(2, 2), axis=0).max() for candidate in candidates])
        chosen = Selection.of(crops, sizes, self._fitter.agreement(regression), expected)
        weight = photo_weights(expected, chosen.left_out)
        shared = replace(regression, coefficients=share_identity(regression.coefficients, weight))
        person = np.where(chosen.left_out, np.arange(1, len(candidates) + 1), 0)
        fitted = self._fitter.fit_person(crops, shared, person)
        watch.lap("fit", len(candidates))
        warnings = chosen.warnings
        faces = [
            _warned(face, warnings[number]) if number in warnings else face
            for number, face in enumerate(self._faces(candidates, regression, fitted, watch))
        ]
        return SamePerson.of([photo.name for photo in photos], dict(zip(rows, faces, strict=True)), weight, chosen)

    @property
    def _fitter(self) -> Fitter:
        vertices = tuple(self.checkpoint.dense_vertices)
        return Fitter(self.face_model, self.basis, vertices, self.refinement, self.networks.refiner)

    def _faces(
        self,
        candidates: list[Candidate],
        regression: Regression,
        fitted: Fitted,
        watch: Stopwatch,
    ) -> list[Reconstruction]:
        """The results of all candidates."""
        faces = [
            Reconstruction(
                photo=candidate.photo,
                detection=candidate.detection,
                crop=candidate.crop,
                coefficients=fitted.coefficients[number],
                face_model=self.face_model,
                camera=fitted.cameras[number],
                checkpoint_name=self.checkpoint.info.name,
                checkpoint_sha256=self.checkpoint.sha256,
                timings_ms=dict(watch.laps_ms),
                confidence=_confidence(number, candidate, replace(regression, coefficients=fitted.coefficients)),
                displacement=fitted.displacement[number],
                covariance=fitted.covariance[number],
                hair_mask=self._hair(candidate, fitted.coefficients[number], fitted.cameras[number]),
            )
            for number, candidate in enumerate(candidates)
        ]
        told = zip(faces, fitted.folds, fitted.failures, strict=True)
        return [_told(face, folds, failure) for face, folds, failure in told]

    def _hair(self, candidate: Candidate, coefficients: FaceCoefficients, camera: Camera) -> HairMask | None:
        """Where the photo shows a candidate's hair, None where that is not asked for."""
        if self.dense is None:
            return None
        return see_hair(self.dense, candidate.photo.pixels, candidate.crop.matrix, coefficients, camera)


def _confidence(number: int, candidate: Candidate, regression: Regression) -> Confidence | None:
    """The confidence in one candidate from its dense landmarks, None without them."""
    if regression.dense is None:
        return None
    points, deviation = regression.dense.points[number], regression.dense.deviation[number]
    crop = candidate.crop
    seen = crop.to_photo(points)
    inside = np.all((seen >= 0) & (seen <= [crop.photo_width - 1, crop.photo_height - 1]), axis=1)
    return assess(points, deviation, regression.refined, 1 / crop.scale, inside, regression.coefficients[number])


def _told(face: Reconstruction, folds: int, failure: str) -> Reconstruction:
    """The face with warnings of what went wrong in its fit, if anything did."""
    if folds:
        face = _warned(face, (STAYS_LINEAR if face.displacement is None else FOLDED).format(folds))
    return _warned(face, FIT_FAILED.format(failure)) if failure else face


def _warned(face: Reconstruction, warning: str) -> Reconstruction:
    """The face with one more warning, if it has a confidence."""
    if face.confidence is None:
        return face
    return replace(face, confidence=replace(face.confidence, warnings=(warning, *face.confidence.warnings)))
