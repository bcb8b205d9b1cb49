"""How photographed skin goes over into skin that the photo does not show.

Toward the outline of a head a photo shows less and less of the skin's own tone: rims shine (Fresnel), shadows begin,
walls, collars and frames of glasses are mirrored or lie beside it. So its tone is believed where skin faces the camera,
goes on from there over the mesh, and is put under the photo's detail where that is still seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.texture.compose import Source
from deep3d.texture.fill import DARK, logarithm, smooth
from deep3d.texture.hair import Hair, scalp
from deep3d.texture.pigment import smoothed
from deep3d.texture.view import smoothstep

TONE = (0.4, 0.8)  # cosines to the camera, of 66 and 37 degrees: up to where tone is not believed, and from where it is
SHARP = (0.2, 0.5)  # of 78 and 60 degrees, likewise: texels are longer than they are wide, and ears lie beside cheeks
FRAMES = 0.25  # of a mask of glasses, from where nothing is taken where the face turns away: they run into the ears
ROUNDS = 5  # of means over neighbours, which leave the tone
ASTRAY = (0.4, 0.9)
"""Difference of logarithms between what the photo shows and the tone from inside: up to where that is put under its
detail, and from where it is given up, since it is something else, or too dark to be made brighter."""
DIMMEST, BRIGHTEST = -1.0, 0.7  # what tone may change at most, logarithms


def bare_skin(hair: Hair, face_model: FaceModel, masks: np.ndarray | None) -> np.ndarray:
    """(V,) in [0, 1]: skin of the face and of a bald scalp, without what the masks (V, 3) have as hair."""
    skin = np.minimum(face_model.skin + hair.bald * face_model.derived(scalp), 1)
    return skin if masks is None else skin * (1 - masks[:, 0])


def trusted(cosine: np.ndarray, skin: np.ndarray, masks: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(V,) and (V,) how far the photo's tone, and its detail, are believed, by cosines (V,) to the camera.

    All of what is no `skin` (V,) is; nothing of glasses, as the masks (V, 3) have them, where the face turns away.
    """
    tone, detail = (1 - skin * (1 - smoothstep(cosine, *limits)) for limits in (TONE, SHARP))
    if masks is not None:
        detail *= 1 - (1 - tone) * np.minimum(masks[:, 2] / FRAMES, 1)
    return tone.astype(np.float32), detail.astype(np.float32)


def tones(
    colours: np.ndarray, weight: np.ndarray, trust: np.ndarray, neighbours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The tone of the photo's colours (V, 3) by `weight` (V,), and the colours (V, 3) that go on from it.

    Tone is logarithms without detail, 0 where nothing is seen. Colours have nothing but it where `trust` (V,) goes out:
    they go on over the mesh from there, and those of a single vertex would be drawn out to a streak.
    """
    tone = smoothed(logarithm(colours), weight, neighbours, ROUNDS)
    steady = smooth(colours, weight, neighbours)
    border = np.minimum(2 * (1 - trust), 1) * (weight > 0)
    return tone, steady + border[:, None] * (np.exp(tone) - DARK - steady)


def with_tone(
    shown: Source, mirror: np.ndarray, mirror_gain: np.ndarray, tone: np.ndarray, fill: np.ndarray, trust: np.ndarray
) -> tuple[Source, Source]:
    """What the photo shows of each vertex and of the mirrored one, as `toned` changes them."""
    mirrored = replace(shown.at(mirror), gain=mirror_gain)
    return toned(shown, tone, fill, trust), toned(mirrored, tone[mirror], fill, trust * shown.weight)


def toned(source: Source, tone: np.ndarray, fill: np.ndarray, trust: np.ndarray) -> Source:
    """A source of colours with the tone of the `fill` (V, 3), 0..255, where it has no `trust` (V,).

    `tone` (V, 3) are logarithms of the photo's, without the source's gain.
    """
    difference = (1 - trust)[:, None] * (logarithm(fill) - tone - np.log(source.gain))
    kept = 1 - smoothstep(np.abs(difference).max(axis=1), *ASTRAY)
    gain = source.gain * np.exp(np.clip(difference, DIMMEST, BRIGHTEST))
    return replace(source, angle=source.angle * kept, weight=source.weight * kept, gain=gain)
