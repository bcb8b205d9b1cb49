"""Hair in the photo: on the scalp, over the forehead, and under a hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.landmarks import BROWS
from deep3d.texture.fill import logarithm
from deep3d.texture.skin_colour import LEAST_FRONT, LIKE, NARROW, UNLIKE, colour_distance, front_of_face, mouth_interior
from deep3d.texture.view import smoothstep

ABOVE_BROWS = (0.1, 0.25)  # decimetres: from where hair on the forehead is a fringe
HAIRLINE = 0.1  # of the skin mask, which ends smoothly: a centimetre or two beyond the forehead
BEHIND_BROWS, BEHIND_EARS = 0.5, 0.1  # decimetres: the sides of the head are not the hairline, the back is scalp
UPPER = 0.75  # of the forehead lies below its upper part
FRINGED = (0.12, 0.35)  # mean fringe there: hair goes on over the hairline in its colour from there
BALD = (0.6, 0.85)  # share of the scalp that is seen and looks like skin
HAIRY = (0.5, 0.25)  # the same, from where no skin is expected there
DARKER = (0.2, 0.4)  # logarithm of green below the face's: brown hair differs from skin in little else
LIGHT, FAIR = (1.0, 2.5), 0.5  # spreads from which hair that is nearly like skin differs from it, and what it counts
FAINT = 0.05  # what scalp counts as hair that cannot be told from skin
ROUGH = (0.029, 0.042)  # difference of the logarithm of green from that around: up to in skin, from in hair
ROUGHER = (0.45, 0.58)  # the same, in times that of the face with its features: small pictures are smooth all over
ROUND = 5  # neighbours of a vertex at which that is looked at
SURELY_SKIN = (1.0, 2.0)  # spreads of the face's colours: hair is seldom so near to them
LEAST_SCALP = 20.0  # vertices


@dataclass(frozen=True)
class Hair:
    """Visible hair on a head with V vertices."""

    bald: float  # in [0, 1], how far the visible scalp is skin like the face
    on_scalp: np.ndarray  # (V,) weight of visible hair on the scalp
    fringe: np.ndarray  # (V,) the same on the forehead
    fringed: float  # in [0, 1], how far a fringe covers the upper part of the visible forehead
    covered: np.ndarray  # (V,) in [0, 1], how far a hand or another face hides the hair

    @classmethod
    def seen(
        cls, colours: np.ndarray, weight: np.ndarray, face_model: FaceModel, masked: np.ndarray | None = None
    ) -> Hair:
        """From the photo's colours (V, 3) in 0..255 at the vertices, and weights (V,) of their visibility.

        `masked` (V,) says how far a mask of hair has them, where there is one: all 0 for a bald head.
        """
        head, forehead = face_model.derived(scalp), face_model.derived(_forehead)
        face = (weight > 0.5) & (face_model.derived(front_of_face) > 0.9) & (forehead == 0)
        bald = masked is not None and not masked.any()
        if bald or face.sum() < LEAST_FRONT:
            none = np.zeros(len(colours), np.float32)
            return cls(float(bald), weight * head, none, 0.0, none)
        distance = colour_distance(colours, face, NARROW)
        unlike = smoothstep(distance, LIKE, UNLIKE).astype(np.float32)
        green = logarithm(colours)[:, 1]
        beyond = head * ~face_model.derived(hairline)
        roughness = _roughness(green, (weight > 0.5) & (beyond > 0.5), face_model)
        as_rough = roughness / max(_roughness(green, face, face_model), 1e-6)
        rough = float(max(smoothstep(roughness, *ROUGH), smoothstep(as_rough, *ROUGHER)))
        hairy = np.maximum(unlike, rough * smoothstep(np.median(green[face]) - green, *DARKER))
        shown = weight * head
        amount = float(shown.sum())
        skin_share = float(shown @ (1 - hairy)) / max(amount, 1e-3) if amount > LEAST_SCALP else HAIRY[0]
        bare = 1 - smoothstep(colour_distance(colours, face, NARROW, lit=True), LIKE, UNLIKE)
        bare_share = float(shown @ bare) / max(amount, 1e-3) if amount > LEAST_SCALP else 0.0
        bald = float(smoothstep(bare_share, *BALD)) * (1 - rough)
        faintly = smoothstep(distance, *LIGHT)
        likely = np.maximum(hairy, FAIR * faintly) if masked is None else masked
        # A mask knows a hand; what is skin to it above the forehead's end is a high forehead.
        hand = 1 - smoothstep(distance, *SURELY_SKIN) if masked is None else 0
        fringed = _fringed(forehead * unlike * weight, (weight > 0.5) & (forehead > 0.5), face_model)
        fringe = (forehead * np.maximum(unlike, FAIR * fringed * faintly) * weight).astype(np.float32)
        return cls(
            bald=bald,
            on_scalp=(weight * beyond * np.maximum(likely, max(bald, FAINT))).astype(np.float32),
            fringe=fringe,
            fringed=fringed,
            covered=(beyond * hand * smoothstep(skin_share, *HAIRY)).astype(np.float32),
        )


def scalp(face_model: FaceModel) -> np.ndarray:
    """How far each vertex (V,) is scalp: no facial skin, and neither of eyes nor of the mouth."""
    mean = face_model.mean_shape
    landmarks = face_model.landmarks(mean[None])[0]
    outside = (mean[:, 1] > landmarks[BROWS, 1].min()) | (mean[:, 2] < landmarks[[0, 16], 2].mean() - BEHIND_EARS)
    inner = face_model.derived(mouth_interior)
    return np.where(outside & ~inner, 1 - face_model.skin, 0).astype(np.float32)


def nape(face_model: FaceModel) -> np.ndarray:
    """(V,) bool, the scalp below the upper ends of the ears, where hair is cut short or thins out."""
    mean = face_model.mean_shape
    ears = face_model.landmarks(mean[None])[0][[0, 16], 1].mean()
    return (face_model.derived(scalp) > 0.5) & (mean[:, 1] < ears)


def hairline(face_model: FaceModel) -> np.ndarray:
    """(V,) bool, whether a vertex is on the forehead or at its end, where a fitted mesh still fits the head."""
    brows = face_model.landmarks(face_model.mean_shape[None])[0, BROWS]
    above = face_model.mean_shape[:, 1] > brows[:, 1].max()
    return above & (face_model.skin > HAIRLINE) & (face_model.mean_shape[:, 2] > brows[:, 2].min() - BEHIND_BROWS)


def _roughness(values: np.ndarray, where: np.ndarray, face_model: FaceModel) -> float:
    """Mean difference of values (V,) at vertices of a mask (V,) from their neighbours' in it; 0 without any.

    Light and shade, which change steadily, are not rough.
    """
    ends = np.stack(face_model.derived(_edges))
    one, other = ends[:, where[ends].all(axis=0)]
    count = np.bincount(one, minlength=len(values)) + np.bincount(other, minlength=len(values))
    total = np.bincount(one, values[other], len(values)) + np.bincount(other, values[one], len(values))
    inner = count >= ROUND
    return float(np.abs(values - total / np.maximum(count, 1))[inner].mean()) if inner.any() else 0.0


def _edges(face_model: FaceModel) -> tuple[np.ndarray, np.ndarray]:
    """The vertices (E,) at one end of each edge, and at the other."""
    ends = np.concatenate([face_model.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    one, other = np.unique(np.sort(ends, axis=1), axis=0).T
    return np.ascontiguousarray(one), np.ascontiguousarray(other)


def _fringed(fringe: np.ndarray, seen: np.ndarray, face_model: FaceModel) -> float:
    if not seen.any():
        return 0.0
    height = face_model.mean_shape[:, 1]
    upper = seen & (height >= np.quantile(height[seen], UPPER))
    return float(smoothstep(float(fringe[upper].mean()), *FRINGED))


def _forehead(face_model: FaceModel) -> np.ndarray:
    """(V,) the part of the skin mask above the brows and in front of the ears."""
    mean = face_model.mean_shape
    landmarks = face_model.landmarks(mean[None])[0]
    above = smoothstep(mean[:, 1] - landmarks[BROWS, 1].max(), *ABOVE_BROWS)
    return (above * face_model.skin * (mean[:, 2] > landmarks[[0, 16], 2].mean())).astype(np.float32)
