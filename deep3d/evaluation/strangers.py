"""How well people are told apart by the shapes of their faces: pairs of photos, and strangers in sets of photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from deep3d.pipeline.same_person import find_strangers, identity_agreement
from deep3d.reconstruction import Reconstruction


def told_apart(faces: Sequence[Reconstruction | None], names: np.ndarray) -> dict[str, float]:
    """Figures of P photos with the names (P,) of who is in them; empty where fits know nothing of their uncertainty.

    The area under the curve is of pairs of photos, by the agreement of their identities. Photos are left out of the set
    of all photos of their person; strangers are added to such a set, one at a time.
    """
    seen = [(number, face) for number, face in enumerate(faces) if face is not None and face.covariance is not None]
    if not seen:
        return {}
    found = [face for _, face in seen]
    who = names[[number for number, _ in seen]]
    count = found[0].coefficients.identity.shape[1]
    identity = np.concatenate([face.coefficients.identity for face in found])
    covariance = np.stack([face.covariance[:count, :count] for face in found if face.covariance is not None])
    agreement = identity_agreement(identity, covariance)
    error = np.array([1.0 if face.confidence is None else face.confidence.landmark_error for face in found])
    first, second = np.triu_indices(len(found), 1)
    same = who[first] == who[second]
    area = area_under_curve(agreement[first, second], same)
    return {"pairs of photos, one person or two: area under the curve": area} | _sets(agreement, error, who)


def area_under_curve(agreement: np.ndarray, same: np.ndarray) -> float:
    """The probability that a pair that is the `same` (N,) agrees more (N,) than one that is not (Hanley, 1982)."""
    count = int(same.sum())
    ranks = rankdata(agreement)[same].sum() - count * (count + 1) / 2
    return float(ranks / (count * (len(same) - count)))


def _sets(agreement: np.ndarray, error: np.ndarray, who: np.ndarray) -> dict[str, float]:
    left_out, kept = [], []
    for person in dict.fromkeys(who.tolist()):
        own = np.flatnonzero(who == person)
        left_out += _strangers(agreement, error, own).tolist()
        kept += [not _strangers(agreement, error, np.append(own, other))[-1] for other in np.flatnonzero(who != person)]
    return {"photos left out of their own person's, %": 100 * float(np.mean(left_out))} | (
        {"strangers kept among a person's photos, %": 100 * float(np.mean(kept))} if kept else {}
    )


def _strangers(agreement: np.ndarray, error: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return find_strangers(agreement[np.ix_(rows, rows)], error[rows])
