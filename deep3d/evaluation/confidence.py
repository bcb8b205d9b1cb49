"""Does a result know how good it is? Expected against true error, over photos spoiled on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from deep3d.evaluation.datasets import PortraitSet
from deep3d.evaluation.degradation import DEGRADATIONS
from deep3d.evaluation.landmarks import Progress, landmark_errors
from deep3d.landmarks import INNER
from deep3d.photo import Photo, read_photo
from deep3d.reconstruct import Reconstructor

GOOD = 2.5  # percent of the face box
SEED = 0
UNTOUCHED = "as it is"


@dataclass(frozen=True)
class ConfidenceErrors:
    """Of M photos in which a face was found, most of them spoiled."""

    kinds: tuple[str, ...]  # M
    expected: np.ndarray  # (M,) percent of the face box, `Confidence.landmark_error`
    true: np.ndarray  # (M,) mean error of the inner landmarks, likewise

    @property
    def rank_correlation(self) -> float:
        """Spearman's, of expected and true error."""
        return float(spearmanr(self.expected, self.true)[0])  # pyright: ignore[reportArgumentType]

    @property
    def coverage(self) -> float:
        """Of the results said to be within 2.5%, the share that are."""
        claimed = self.expected <= GOOD
        return float((self.true[claimed] <= GOOD).mean()) if claimed.any() else float("nan")

    def to_markdown(self) -> str:
        """A table by kind of photo, and the two figures."""
        lines = ["| photos | found | expected error | true error |", "|---|---:|---:|---:|"]
        for kind in dict.fromkeys(self.kinds):
            chosen = np.array([each == kind for each in self.kinds])
            means = f"{self.expected[chosen].mean():.2f} | {self.true[chosen].mean():.2f}"
            lines.append(f"| {kind} | {chosen.sum()} | {means} |")
        claimed = int((self.expected <= GOOD).sum())
        lines += [
            "",
            f"Rank correlation {self.rank_correlation:.2f}. Of {claimed} results said to be within {GOOD}%, "
            f"{100 * self.coverage:.1f}% are.",
        ]
        return "\n".join(lines) + "\n"


def evaluate_confidence(
    reconstructor: Reconstructor, dataset: PortraitSet, progress: Progress | None = None
) -> ConfidenceErrors:
    """Reconstruct each portrait as it is and spoiled in every way, the strength drawn at random but always the same."""
    rng = np.random.default_rng(SEED)
    rows: list[tuple[str, float, float]] = []
    for number, (path, landmarks) in enumerate(zip(dataset.photos, dataset.landmarks, strict=True)):
        photo = read_photo(path)
        kinds = [UNTOUCHED, *DEGRADATIONS]
        for kind, faces in zip(kinds, reconstructor.reconstruct(_spoiled(photo, landmarks, rng)), strict=True):
            if faces and faces[0].confidence is not None:
                true = landmark_errors(faces[0].landmarks68, landmarks)[INNER].mean()
                rows.append((kind, faces[0].confidence.landmark_error, float(true)))
        if progress is not None:
            progress(number + 1, len(dataset.photos))
    kinds, expected, true = zip(*rows) if rows else ((), (), ())
    return ConfidenceErrors(tuple(kinds), np.array(expected), np.array(true))


def _spoiled(photo: Photo, landmarks: np.ndarray, rng: np.random.Generator) -> Sequence[Photo]:
    box = np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])
    copies = [spoil(photo.pixels, box, rng) for spoil in DEGRADATIONS.values()]
    return [photo, *(Photo(np.ascontiguousarray(copy), photo.name, photo.sha256) for copy in copies)]
