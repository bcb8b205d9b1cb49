"""The light of a photo: a soft sky in spherical harmonics, and lamps that may be on, by robust least squares.

Both shine through the transfer of the head, so that cast shadows tell of lamps. A lamp is taken when it explains the
face better than its three numbers would by chance (Schwarz, "Estimating the dimension of a model", 1978).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deep3d.material.directions import FUNCTIONS, band_of_functions, even_directions, real_harmonics
from deep3d.material.gloss import Gloss, lobes
from deep3d.material.transfer import Transfer

MOST_LAMPS = 2
BAND_SPREAD = np.array([3.0, 0.6, 0.25, 0.05, 0.02])
"""Standard deviation believed of the sky's coefficients in each band, beside a light of 1 on open skin."""
HUE_SPREAD = 0.25  # of each channel's coefficients about those of all channels together, relative to their own spread
NOISE = 0.20  # relative error that light and shapes leave in most points
ROUNDS = 6
FARTHEST = 2.5  # spreads of residuals beyond which points count less and less
POINTS_FOR_ONE = 12.0  # neighbouring points that are wrong together
BACK = -0.35  # lamps farther behind the head than this cosine light nothing that is seen


@dataclass(frozen=True, eq=False)
class Light:
    """A sky and lamps, in head space. The units are the photo's: white that faces a lamp of 1 comes to 1."""

    sky: np.ndarray  # (25, 3) coefficients of radiance
    lamp_directions: np.ndarray  # (L, 3) unit vectors toward lamps
    lamps: np.ndarray  # (L, 3) irradiance over pi
    explained: float  # share of the variance of brightness over the face
    gained: float  # how much of it the lamps explain
    residual: float = 1.0  # mean square of what is left over, relative to brightness

    def scaled(self, factor: np.ndarray) -> Light:
        """The same times a colour (3,)."""
        return replace(self, sky=self.sky * factor, lamps=self.lamps * factor)

    def turned(self, turn: np.ndarray) -> Light:
        """The same in another space, to which (3, 3) leads."""
        directions = even_sphere()
        sky = project_sky(np.maximum(real_harmonics(directions @ turn) @ self.sky, 0), directions)
        return replace(self, sky=sky, lamp_directions=self.lamp_directions @ turn.T)

    def radiance(self, directions: np.ndarray) -> np.ndarray:
        """The sky's light (N, 3) from unit directions (N, 3); never negative."""
        return np.maximum(real_harmonics(directions) @ self.sky, 0)


@dataclass(frozen=True, eq=False)
class Columns:
    """What each unknown of a light brings to each of P points: diffuse (P, K) and gloss (P, K)."""

    diffuse: np.ndarray
    gloss: np.ndarray

    def joined(self, other: Columns) -> Columns:
        """Both side by side."""
        return Columns(*(np.hstack(pair) for pair in ((self.diffuse, other.diffuse), (self.gloss, other.gloss))))


def even_sphere() -> np.ndarray:
    """Directions (600, 3) on which skies are sampled."""
    return even_directions(600)


def project_sky(radiance: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The coefficients (25, 3) of radiance (N, 3) at even directions (N, 3)."""
    return real_harmonics(directions).T @ radiance * (4 * np.pi / len(directions))


def sky_columns(transfer: Transfer, gloss: np.ndarray) -> Columns:
    """Of the 25 functions; `gloss` (P, D) is the lobe's share of each direction."""
    functions = real_harmonics(transfer.directions) * (transfer.solid_angle / np.pi)
    return Columns(transfer.lit @ functions, gloss @ functions)


def lamp_columns(transfer: Transfer, gloss: np.ndarray) -> Columns:
    """Of a lamp in each direction."""
    return Columns(transfer.lit, gloss)


def gloss_transfer(transfer: Transfer, view: np.ndarray, gloss: Gloss) -> np.ndarray:
    """(P, D) of the lobe through what the head leaves of each direction."""
    parts = transfer.normals, view, transfer.directions, transfer.visible, gloss.specular, gloss.roughness
    return lobes(*(np.ascontiguousarray(part, np.float32) for part in parts))


@dataclass(frozen=True, eq=False)
class Seen:
    """What a photo shows of P points."""

    colours: np.ndarray  # (P, 3) linear
    weight: np.ndarray  # (P,) how much each counts
    burnt: np.ndarray  # (P,) bool: too bright for the photo, at least as bright as its colours

    @property
    def grey(self) -> np.ndarray:
        """(P,) brightness."""
        return self.colours.mean(axis=1)

    def some(self, rows: slice | np.ndarray) -> Seen:
        """Some of the points."""
        return Seen(self.colours[rows], self.weight[rows], self.burnt[rows])


def solve_light(seen: Seen, albedo: np.ndarray, sky: Columns, lamps: Columns, directions: np.ndarray) -> Light:
    """The light on P points with albedo (P, 3); `sky` and `lamps` are columns, the latter of lamps in directions."""
    tone = albedo.mean(axis=1)
    chosen: list[int] = []
    best = _fit(seen, tone, sky, None)
    alone = best.variance
    while len(chosen) < MOST_LAMPS:
        number = _best_lamp(best, tone, sky, lamps, chosen)
        if number is None:
            break
        found = _fit(seen, tone, sky, _some(lamps, [*chosen, number]))
        count = float(seen.weight.sum()) / POINTS_FOR_ONE
        better = count * np.log(max(best.variance, 1e-9) / max(found.variance, 1e-9)) > 3 * np.log(max(count, 2))
        if not better or found.coefficients[-1] <= 0:
            break
        best = found
        chosen.append(number)
    columns = sky if not chosen else sky.joined(_some(lamps, chosen))
    coefficients = _by_channel(seen, albedo, columns, best)
    logs, weights = np.log(seen.grey + 1e-3), best.weights
    total = max(float(np.average((logs - np.average(logs, weights=weights)) ** 2, weights=weights)), 1e-6)
    return Light(
        sky=coefficients[:FUNCTIONS],
        lamp_directions=directions[chosen].reshape(-1, 3),
        lamps=np.maximum(coefficients[FUNCTIONS:], 0),
        explained=float(np.clip(1 - best.variance / total, 0, 1)),
        gained=float(np.clip((alone - best.variance) / total, 0, 1)),
        residual=best.variance,
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """Least squares for brightness."""

    coefficients: np.ndarray  # (K,)
    variance: float  # mean square residual, relative
    weights: np.ndarray  # (P,) robust
    wanted: np.ndarray  # (P,) what was to be drawn: burnt points as bright as they are drawn, or more
    scale: np.ndarray  # (P,) usual error


def _fit(seen: Seen, tone: np.ndarray, sky: Columns, lamps: Columns | None) -> _Fit:
    """Coefficients of all channels together. Burnt points are censored (Tobin, 1958): what is drawn beyond is right."""
    columns = sky if lamps is None else sky.joined(lamps)
    design = tone[:, None] * columns.diffuse + columns.gloss
    grey = wanted = seen.grey
    scale = np.maximum(grey, 0.1 * np.median(grey)) * NOISE
    weights, clear = seen.weight.copy(), (seen.weight > 0) & ~seen.burnt
    none, believed = np.zeros(design.shape[1]), _believed(design.shape[1])
    for _ in range(ROUNDS):
        coefficients = _ridge(design, wanted, weights / scale**2, none, believed)
        drawn = design @ coefficients
        wanted = np.where(seen.burnt, np.maximum(grey, drawn), grey)
        residual = (wanted - drawn) / scale
        spread = max(1.4826 * float(np.median(np.abs(residual[clear]))), 0.5)
        weights = seen.weight / (1 + (residual / (FARTHEST * spread)) ** 2) ** 2
    variance = float(np.average((residual * NOISE) ** 2, weights=weights + 1e-9))
    return _Fit(coefficients, variance, weights, wanted, scale)


def _believed(count: int) -> np.ndarray:
    """(K,) standard deviations of the coefficients: the sky's by bands, lamps free."""
    return np.concatenate([BAND_SPREAD[band_of_functions()], np.full(count - FUNCTIONS, 3.0)])


def _ridge(
    design: np.ndarray, wanted: np.ndarray, weight: np.ndarray, middle: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """Weighted least squares with a normal prior on the coefficients; a twelfth of the points counts."""
    share = (weight / POINTS_FOR_ONE)[:, None] * design
    normal = design.T @ share + np.diag(spread**-2)
    return np.linalg.solve(normal, share.T @ wanted + middle / spread**2)


def _best_lamp(fit: _Fit, tone: np.ndarray, sky: Columns, lamps: Columns, chosen: list[int]) -> int | None:
    """The lamp whose column, beside those at hand, explains most of what is left over; None where none does."""
    columns = sky if not chosen else sky.joined(_some(lamps, chosen))
    design = tone[:, None] * columns.diffuse + columns.gloss
    root = np.sqrt(fit.weights / POINTS_FOR_ONE) / fit.scale
    rows, candidates = design * root[:, None], (tone[:, None] * lamps.diffuse + lamps.gloss) * root[:, None]
    normal = rows.T @ rows + np.diag(_believed(design.shape[1]) ** -2)
    across = rows.T @ candidates
    left = (candidates**2).sum(axis=0) - (across * np.linalg.solve(normal, across)).sum(axis=0)
    residual = (fit.wanted - design @ fit.coefficients) * root
    told = candidates.T @ residual
    gain = np.where((told > 0) & (left > 1e-6), told**2 / np.maximum(left, 1e-6), 0)
    gain[chosen] = 0
    return int(np.argmax(gain)) if gain.max() > 0 else None


def _by_channel(seen: Seen, albedo: np.ndarray, columns: Columns, fit: _Fit) -> np.ndarray:
    """Coefficients (K, 3) of red, green and blue, near those of all together times one colour."""
    out = []
    weights = np.where(seen.burnt, 0, fit.weights)
    spread = HUE_SPREAD * np.maximum(np.abs(fit.coefficients), 0.05)
    for channel in range(3):
        design, wanted = albedo[:, channel, None] * columns.diffuse + columns.gloss, seen.colours[:, channel]
        drawn = design @ fit.coefficients
        scale = np.maximum(wanted, 0.1 * np.median(wanted)) * NOISE
        share = weights / scale**2
        factor = float((share * drawn * wanted).sum() / max((share * drawn**2).sum(), 1e-9))
        out.append(_ridge(design, wanted, share, fit.coefficients * factor, spread * factor))
    return np.stack(out, axis=1)


def _some(columns: Columns, chosen: list[int]) -> Columns:
    return Columns(columns.diffuse[:, chosen], columns.gloss[:, chosen])
