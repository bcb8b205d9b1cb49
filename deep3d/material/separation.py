"""Light taken off one photo at the vertices of a head: alternating least squares for light, albedo and gloss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.material.gloss import STRONGEST, Gloss, eyeballs, usual_gloss
from deep3d.material.light import Columns, Light, Seen, gloss_transfer, lamp_columns, sky_columns, solve_light
from deep3d.material.observed import Observed
from deep3d.material.skin_prior import SkinTone, resolve, usual_skin
from deep3d.material.statistical import LogAlbedo, fit_albedo, relative
from deep3d.material.transfer import Transfer
from deep3d.texture import Atlas
from deep3d.texture.hair import scalp
from deep3d.texture.pigment import features, pigment, smoothed
from deep3d.texture.skin_colour import mouth_interior

ROUNDS = 3
POINTS = 2500  # vertices that the light is read from
CLEAR = 1.0  # of bright irradiance, from which it is wholly believed
DIMMEST = 0.02  # of the brightest irradiance: shadows are never black
GLARE = 2.0  # times the share of shine in what is seen: how far the light there is in doubt
HYPOTHESES, HYPOTHESIS_EVERY = (26.0, 40.0, 54.0, 70.0), 5  # L*, and every which point is asked
INDEPENDENT = 38  # points whose errors are independent of each other
EYE_POINTS = 12  # vertices of eyes that must be seen
PALER = 0.12  # than skin, as logarithm of red over green
BESIDE_GLOSS = 0.13  # of brightness, that is neither gloss nor explained
AROUND = 100  # rounds of means over neighbours, about two centimetres: over which highlights tell of gloss
GRAZING = (0.3, 4.0)  # least and most that the angle of light counts
IN_SHINE = 40.0  # times the square of the share of shine in what is seen: how far relief shows more than in dull skin
HAIR_SPREAD, INSIDE_SPREAD = 1.2, 0.4
"""Standard deviations, as logarithms, of what hair, and eyes and teeth, have beyond the statistics."""
WHITE_HAIR = 0.55  # albedo; what is brighter is lit from behind
LEAST_SEEN = 150  # vertices below which a photo tells nothing


@dataclass(frozen=True, eq=False)
class Separated:
    """Of each of V vertices of one head in one photo."""

    albedo: np.ndarray  # (V, 3) linear
    statistical: np.ndarray  # (V, 3) linear: stage I alone
    gloss: Gloss
    irradiance: np.ndarray  # (V, 3) over pi: what white would come to
    shine: np.ndarray  # (V, 3) linear, what the photo shows beside albedo times irradiance
    doubt: np.ndarray  # (V,) in [0, 1]: edges of shadows, darkness, and shine
    grazing: np.ndarray  # (V,) how far relief shows in the light, 1 where that falls at half a right angle
    light: Light  # head space
    tone: SkinTone
    seen: bool  # whether the photo showed enough of the face


def separate_vertices(observed: Observed, transfer: Transfer, model: FaceModel) -> Separated:
    """Take the light off. Nothing is ever black or not a number: what the photo does not tell, statistics say."""
    gloss = usual_gloss(model)
    if int((observed.weight * observed.skin > 0.5).sum()) < LEAST_SEEN:
        return _unseen(observed, transfer, model, gloss)
    light, ratio, tone = _first_stage(observed, transfer, model, gloss)
    statistical = toned(ratio, tone.skin, observed.bare, model)
    irradiance, shine = shone(light, transfer, gloss, observed.view)
    gloss = shinier(observed, statistical, irradiance, shine, gloss, model)
    irradiance, shine = shone(light, transfer, gloss, observed.view)
    doubt = np.maximum(_doubt(light, transfer, irradiance, model), _glare(observed, shine))
    grazing = _grazing(light, transfer, irradiance) * (1 + IN_SHINE * _share(observed, shine) ** 2)
    free = _second_stage(observed, statistical, irradiance, shine, doubt, grazing, model)
    albedo = np.clip(statistical * np.exp(free), 0.003, 0.95).astype(np.float32)
    return Separated(albedo, statistical, gloss, irradiance, shine, doubt, grazing, light, tone, True)


def _first_stage(
    observed: Observed, transfer: Transfer, model: FaceModel, gloss: Gloss
) -> tuple[Light, np.ndarray, SkinTone]:
    """Light, statistical albedo as logarithms (V, 3) relative to skin, and the skin's tone, in turns."""
    seen = Seen(observed.colours, (observed.weight + observed.burnt) * observed.skin, observed.burnt > observed.weight)
    rows = _thinned(seen.weight)
    clear = _thinned(observed.weight * observed.skin)
    part = transfer.at(rows)
    lobes = gloss_transfer(part, observed.view[rows], Gloss(gloss.specular[rows], gloss.roughness[rows]))
    sky, lamps = sky_columns(part, lobes), lamp_columns(part, lobes)
    ratio = relative(model.derived(LogAlbedo.of).mean, observed.skin)
    seen = seen.some(rows)
    evidence = _evidence(seen, ratio[rows], sky, lamps, transfer.directions)
    hue = not observed.grey
    tone = resolve(np.quantile(observed.colours[clear], 0.8, axis=0), None, evidence, hue)
    for _ in range(ROUNDS):
        albedo = toned(ratio, tone.skin, observed.bare, model)
        light = solve_light(seen, albedo[rows], sky, lamps, transfer.directions)
        irradiance, shine = shone(light, transfer, gloss, observed.view)
        bare = np.log(without_shine(observed.colours, shine) / irradiance)
        sure = observed.weight * (model.skin > 0.05) * _clearness(irradiance)
        ratio = fit_albedo(bare, sure, observed.skin, model)
        skin = np.exp(np.median((bare - ratio)[clear], axis=0))
        bright = np.quantile(irradiance[rows], 0.9, axis=0)  # burnt skin is lit brightest
        tone = resolve(skin * bright, white_of_eyes(observed, irradiance, bright, model), evidence, hue)
    return light.scaled(skin / tone.skin), ratio, tone  # the light that was solved lit skin of the tone before


def _second_stage(
    observed: Observed,
    statistical: np.ndarray,
    irradiance: np.ndarray,
    shine: np.ndarray,
    doubt: np.ndarray,
    grazing: np.ndarray,
    model: FaceModel,
) -> np.ndarray:
    """What albedo (V, 3) has beyond the statistical one, as logarithms.

    Hair is in the mean light, for it stands away from the scalp; where it is not seen it goes on as the unwrapped
    photo was completed. Beards keep most of their colour: they are as large and as grey as shadows.
    """
    known, hair = observed.weight * observed.free, model.derived(scalp) * (1 - observed.bare)
    mean = np.exp(np.average(np.log(irradiance), weights=known * observed.skin + 1e-9, axis=0))
    share = hair[:, None]
    light = irradiance ** (1 - share) * mean**share
    own = np.log(without_shine(observed.colours, shine * (1 - share)) / light)
    grown = (np.maximum(model.skin, model.derived(scalp)) - observed.bare)[:, None]
    own += grown * np.minimum(np.minimum(own[:, :1], np.log(WHITE_HAIR)) - own, 0)  # melanin leaves red the most
    difference = own - np.log(statistical)
    weight, sure = np.maximum(known, hair), doubt * (1 - hair)
    where, neighbours = model.derived(features), Atlas.of(model).neighbours
    off_skin = np.where(model.derived(inside), INSIDE_SPREAD, HAIR_SPREAD).astype(np.float32)
    return pigment(difference, weight, sure, grazing, where, observed.bare, off_skin, model.mirror, neighbours)


def inside(model: FaceModel) -> np.ndarray:
    """(V,) bool: eyes and what lies in the mouth."""
    return eyeballs(model) | mouth_interior(model)


def toned(ratio: np.ndarray, skin: np.ndarray, bare: np.ndarray, model: FaceModel) -> np.ndarray:
    """Linear albedo (V, 3) of logarithms (V, 3) relative to skin of a tone (3,); eyes and hair keep their own.

    Scalps that are `bare` (V,) are as the skin.
    """
    share, bald = model.skin[:, None], (model.derived(scalp) * bare)[:, None]
    logs = ratio + share * np.log(skin) + (1 - share) * model.derived(_usual_skin)
    return np.exp(logs + bald * (np.log(skin) - logs)).astype(np.float32)


def _usual_skin(model: FaceModel) -> np.ndarray:
    """(3,) logarithm of the mean skin of a model."""
    mean = model.derived(LogAlbedo.of).mean
    weight = model.skin**4
    return weight @ mean / weight.sum()


def _evidence(
    seen: Seen, ratio: np.ndarray, sky: Columns, lamps: Columns, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Minus twice the log likelihood of skins of some L*: highlights are as bright on dark skin as on fair."""
    few = slice(None, None, HYPOTHESIS_EVERY)
    few_sky, few_lamps = (Columns(columns.diffuse[few], columns.gloss[few]) for columns in (sky, lamps))
    residual = []
    for lightness in HYPOTHESES:
        albedo = np.exp(ratio[few]) * usual_skin(lightness)
        residual.append(solve_light(seen.some(few), albedo, few_sky, few_lamps, directions).residual)
    return np.array(HYPOTHESES), INDEPENDENT * np.log(np.maximum(residual, 1e-4))


def white_of_eyes(
    observed: Observed, irradiance: np.ndarray, bright: np.ndarray, model: FaceModel
) -> np.ndarray | None:
    """How the white of the eyes (3,) would look where the light is brightest; None where eyes are shut or hidden.

    Lids have the hue of skin; what lies in the eyes must be paler.
    """
    eyes = np.flatnonzero(model.derived(eyeballs) & (observed.weight > 0.5))
    if len(eyes) < EYE_POINTS:
        return None
    bare = observed.colours[eyes] / irradiance[eyes] * bright
    grey = bare.mean(axis=1)
    white = np.median(bare[grey >= np.quantile(grey, 0.7)], axis=0)
    face = observed.skin * observed.weight
    skin = face @ observed.colours / face.sum()
    paler = np.log(skin[0] / skin[1]) - np.log(max(white[0], 1e-4) / max(white[1], 1e-4))
    return white if paler > PALER else None


def shone(light: Light, transfer: Transfer, gloss: Gloss, view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Irradiance over pi (V, 3), never dark, and shine (V, 3) of a light on a head."""
    sky = light.radiance(transfer.directions).astype(np.float32) * np.float32(transfer.solid_angle / np.pi)
    irradiance, shine = transfer.lit @ sky, gloss_transfer(transfer, view, gloss) @ sky
    for toward, lamp in zip(light.lamp_directions, light.lamps):
        one = transfer.toward(int(np.argmax(transfer.directions @ toward)))
        irradiance += one.lit * lamp
        shine += gloss_transfer(one, view, gloss) * lamp
    floor = DIMMEST * np.maximum(np.quantile(irradiance, 0.95, axis=0), 1e-3)
    return np.maximum(irradiance, floor).astype(np.float32), shine.astype(np.float32)


def without_shine(colours: np.ndarray, shine: np.ndarray) -> np.ndarray:
    """Diffuse light (V, 3): at least a third of what is seen, for highlights are never known to the last."""
    return np.maximum(colours - shine, 0.35 * colours) + 1e-4


def shinier(
    observed: Observed, albedo: np.ndarray, irradiance: np.ndarray, shine: np.ndarray, gloss: Gloss, model: FaceModel
) -> Gloss:
    """The gloss, everywhere as strong as the highlights round there say; the prior's where shine is weak."""
    drawn, expected = (observed.colours - albedo * irradiance).mean(axis=1), shine.mean(axis=1)
    weight = observed.weight * model.skin
    products = np.stack([drawn * expected, expected**2, expected**2], axis=1)
    both, scale, _ = smoothed(products, weight, Atlas.of(model).neighbours, AROUND).T
    brightness = float(weight @ observed.colours.mean(axis=1) ** 2) / max(float(weight.sum()), 1e-6)
    believed = BESIDE_GLOSS**2 * brightness + 1e-6
    told = np.clip((both + believed) / (scale + believed), 1 / STRONGEST, STRONGEST)
    return gloss.scaled(told**model.skin)


def _unseen(observed: Observed, transfer: Transfer, model: FaceModel, gloss: Gloss) -> Separated:
    """Where a photo shows too little: the statistics' mean in a plain light."""
    tone = resolve(np.full(3, 0.25), trusted_hue=False)
    tone = replace(tone, white=np.ones(3))
    albedo = toned(relative(model.derived(LogAlbedo.of).mean, observed.skin), tone.skin, observed.bare, model)
    sky = np.zeros((25, 3))
    sky[0] = np.sqrt(4 * np.pi)
    light = Light(sky, np.zeros((0, 3)), np.zeros((0, 3)), 0.0, 0.0)
    irradiance, shine = shone(light, transfer, gloss, observed.view)
    albedo = np.clip(albedo, 0.003, 0.95).astype(np.float32)
    ones = np.ones(len(albedo), np.float32)
    return Separated(albedo, albedo, gloss, irradiance, shine, ones, ones, light, tone, False)


def _thinned(weight: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(weight > 0.5)
    return rows[:: max(1, len(rows) // POINTS)]


def _clearness(irradiance: np.ndarray) -> np.ndarray:
    """How far the light on each vertex (V,) is known, in [0, 1]: what is wrong in it weighs more where it is dim."""
    grey = irradiance.mean(axis=1)
    return np.clip(grey / (CLEAR * np.quantile(grey, 0.9)), 0, 1).astype(np.float32)


def _doubt(light: Light, transfer: Transfer, irradiance: np.ndarray, model: FaceModel) -> np.ndarray:
    """Where shadows begin, and where next to no light falls (V,)."""
    neighbours = Atlas.of(model).neighbours
    ones = np.ones(len(irradiance), np.float32)
    doubt = np.zeros(len(irradiance), np.float32)
    for toward, lamp in zip(light.lamp_directions, light.lamps):
        number = int(np.argmax(transfer.directions @ toward))
        lit = np.repeat(transfer.lit[:, number : number + 1], 3, axis=1)
        shadow = smoothed((lit > 0.02).astype(np.float32), ones, neighbours, 4)[:, 0]
        share = lamp.mean() / max(float(np.quantile(irradiance.mean(axis=1), 0.9)), 1e-3)
        doubt = np.maximum(doubt, 4 * shadow * (1 - shadow) * min(share * 1.5, 1))
    return np.maximum(doubt, 1 - _clearness(irradiance)).astype(np.float32)


def _grazing(light: Light, transfer: Transfer, irradiance: np.ndarray) -> np.ndarray:
    """How much brightness changes where the surface tips (V,), relative: 1 where light falls at half a right angle.

    Relief shows in light that grazes, and hardly in light from straight above the surface: it is the part of the vector
    of irradiance across the normal.
    """
    radiance = light.radiance(transfer.directions).mean(axis=1) * (transfer.solid_angle / np.pi)
    for toward, lamp in zip(light.lamp_directions, light.lamps):
        radiance[int(np.argmax(transfer.directions @ toward))] += lamp.mean()
    arriving = transfer.visible * (transfer.normals @ transfer.directions.T > 0)
    vector = arriving @ (transfer.directions * radiance[:, None]).astype(np.float32)
    across = vector - transfer.normals * (transfer.normals * vector).sum(axis=1, keepdims=True)
    return np.clip(np.linalg.norm(across, axis=1) / irradiance.mean(axis=1), *GRAZING).astype(np.float32)


def _glare(observed: Observed, shine: np.ndarray) -> np.ndarray:
    """How much of what is seen is shine (V,), in [0, 1]: much on dark skin, where errors of gloss outweigh pigment."""
    return np.clip(GLARE * _share(observed, shine), 0, 1)


def _share(observed: Observed, shine: np.ndarray) -> np.ndarray:
    """The share of shine in what is seen (V,), in [0, 1]."""
    share = shine.mean(axis=1) / np.maximum(observed.colours.mean(axis=1), 1e-4)
    return np.clip(share, 0, 1).astype(np.float32)
