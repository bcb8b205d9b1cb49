"""How bright and of which hue skin is, when only its product with the light is known: a stated prior, and its verdict.

Measured skin lies near one line in CIELAB: from fair to tan it yellows, from there to dark it loses chroma (Han et al.,
"Skin color of Koreans", 2006; Xiao et al., "Characterising the variations in ethnic skin colours", 2017; Lu et al.,
"Comparing skin colours between different skin groups", 2021). Photographers expose faces so that white paper beside
them comes out a little beyond white, and balance colours so that it is near grey or warm. All tones are as likely
before the photo is seen: from very fair to very dark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LINE = np.array(
    [[80, 5.5, 11], [72, 8, 14], [65, 10, 16.5], [58, 11, 18], [48, 12, 18], [38, 11, 14], [28, 8, 9.5], [20, 5, 5]],
    float,
)
"""L*, a*, b* of facial skin."""
OFF_LINE = 4.0  # standard deviation of a* and of b* about it: of skin, and of how cameras colour it
LIGHTNESS, LIGHTNESS_SPREAD = 54.0, 22.0  # of people
WHITE, WHITE_SPREAD = 1.2, 0.27
"""What white paper that faces the light comes to beside skin of 0.25, linear, 1 being the brightest that a photo holds;
and its spread as a logarithm."""
EVENED = 0.3  # power of the skin's own brightness that cameras even out: dark faces are exposed longer
SCLERA, SCLERA_SPREAD, SCLERA_HUE_SPREAD = np.array([0.46, 0.41, 0.38]), 0.45, 0.15
"""The white of eyes, linear, lashes and lids in it, and how surely."""
BALANCE, BALANCE_SPREAD = np.array([0.08, 0.0]), np.array([0.10, 0.14])
"""Log red / green and log blue / green of white paper: cameras show skin warmer than it is; and their spread."""
ODD_LIGHTS, ODD_SPREAD = 0.15, 5.0
"""Share of photos in strongly coloured light, which cameras leave coloured, and times the spread of their hues."""
GLOSS_LEAN = 1.6 / 44  # by each unit of L* that highlights speak for fair skin too much, as minus twice a logarithm
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_D65 = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True)
class SkinTone:
    """Skin and light that together make a seen colour."""

    skin: np.ndarray  # (3,) linear reflectance
    white: np.ndarray  # (3,) what white paper in the same light would come to, linear
    lightness: float  # CIELAB L* of the skin
    deviation: float  # of L*: how far it may be off


def resolve(
    seen: np.ndarray,
    sclera: np.ndarray | None = None,
    evidence: tuple[np.ndarray, np.ndarray] | None = None,
    trusted_hue: bool = True,
) -> SkinTone:
    """Skin and light of linear skin colours (3,) as seen where the light is brightest: the mean over the posterior.

    `sclera` (3,) is how the white of the eyes would look in the same light, where it is seen; `evidence`, minus twice
    the log likelihood of some L* in ascending order, is what highlights say, which owe nothing to the skin. Without a
    trusted hue (grey photos) only brightness is resolved, and the light takes the hue.
    """
    lab = _candidates()
    skin = linear_rgb(lab)
    white = np.log(np.maximum(seen, 1e-4)) - np.log(skin)
    cost = ((lab[:, 0] - LIGHTNESS) / LIGHTNESS_SPREAD) ** 2
    line = np.stack([np.interp(lab[:, 0], LINE[::-1, 0], LINE[::-1, k]) for k in (1, 2)], axis=1)
    cost += (((lab[:, 1:] - line) / OFF_LINE) ** 2).sum(axis=1)
    exposed = np.log(WHITE) - EVENED * np.log(skin.mean(axis=1) / 0.25)
    cost += ((white.mean(axis=1) - exposed) / WHITE_SPREAD) ** 2
    balance = white[:, [0, 2]] - white[:, 1:2]
    if trusted_hue:
        cost += _tailed((((balance - BALANCE) / BALANCE_SPREAD) ** 2).sum(axis=1))
    if sclera is not None:
        paper = np.log(np.maximum(sclera, 1e-4)) - np.log(SCLERA)
        cost += ((white.mean(axis=1) - paper.mean()) / SCLERA_SPREAD) ** 2
        hue = paper[[0, 2]] - paper[1]
        cost += (((balance - hue) / SCLERA_HUE_SPREAD) ** 2).sum(axis=1) * trusted_hue
    if evidence is not None:
        cost += np.interp(lab[:, 0], *evidence) + GLOSS_LEAN * lab[:, 0]
    share = np.exp(-(cost - cost.min()) / 2)
    share /= share.sum()
    mean = np.exp(share @ np.log(skin))
    lightness = float(share @ lab[:, 0])
    deviation = float(np.sqrt(share @ (lab[:, 0] - lightness) ** 2))
    return SkinTone(mean, np.maximum(seen, 1e-4) / mean, lightness, deviation)


def _tailed(cost: np.ndarray) -> np.ndarray:
    """Minus twice the logarithm of a mixture of normal densities (N,) by their exponent: few photos are far off."""
    odd = np.log(ODD_LIGHTS / (1 - ODD_LIGHTS) / ODD_SPREAD**2) - cost / (2 * ODD_SPREAD**2)
    return -2 * np.logaddexp(-cost / 2, odd)


def usual_skin(lightness: float) -> np.ndarray:
    """(3,) linear reflectance of skin of this L* on the line."""
    line = [np.interp(lightness, LINE[::-1, 0], LINE[::-1, k]) for k in (1, 2)]
    return linear_rgb(np.array([[lightness, *line]]))[0]


def linear_rgb(lab: np.ndarray) -> np.ndarray:
    """Linear RGB (N, 3) of CIELAB (N, 3) under D65, at least 0.004."""
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _D65
    return np.maximum(xyz @ np.linalg.inv(_XYZ).T, 0.004)


def _candidates() -> np.ndarray:
    """CIELAB (N, 3) of skins on a grid round the line."""
    lightness, a, b = np.meshgrid(np.arange(20, 80.5, 1.5), *[np.linspace(-2.5, 2.5, 9) * OFF_LINE] * 2, indexing="ij")
    line = [np.interp(lightness, LINE[::-1, 0], LINE[::-1, k]) for k in (1, 2)]
    return np.stack([lightness, line[0] + a, line[1] + b], axis=-1).reshape(-1, 3)
