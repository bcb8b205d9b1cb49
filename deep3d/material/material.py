"""A face without the light of its photo: maps, the light that was on it, and what could not be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from deep3d.camera import rotation_matrix
from deep3d.face_model import FaceModel
from deep3d.material.directions import band_of_functions
from deep3d.material.environments import PANORAMA, sphere
from deep3d.material.observed import Observed
from deep3d.material.separation import Separated, separate_vertices
from deep3d.material.texels import Maps, over_texels, paint_maps
from deep3d.material.transfer import Transfer, compute_transfer
from deep3d.texture import Atlas, Texture
from deep3d.whole_head import WholeHead

if TYPE_CHECKING:
    from deep3d.reconstruction import Reconstruction

LAMP_SIZE = 0.12  # radians, radius of a lamp in the exported panorama

GREY = "The photo has no colours. The skin's hue is a guess, and the maps are grey."
SATURATED = "{:.0%} of the face is too bright or too dark to tell its colours. They were completed there."
UNSEEN = "The photo shows too little of the face to take its light off. The maps are a guess."
UNSURE = "The skin's brightness is a guess: the photo's light and its skin tone cannot be told apart well."
UNEXPLAINED = "Shadows or reflections of this photo are not explained by its light. Some may stay in the maps."
COLOURED = "The light of this photo is strongly coloured. The skin's hue is a guess."
LARGE_SATURATION, LARGE_DEVIATION, LEAST_EXPLAINED, STRONG_HUE = 0.15, 7.0, 0.6, 0.45


@dataclass(frozen=True, eq=False)
class Material:
    """What `separate` gives for one face in one photo."""

    maps: Maps
    separated: Separated  # at the vertices
    transfer: Transfer  # of the head
    turn: np.ndarray  # (3, 3) from head space to that of the camera
    warnings: tuple[str, ...]  # sentences for people: what could not be told apart
    evened: (
        np.ndarray
    )  # (3,) albedo over the photo's linear colours, mean of the skin: for what has no map, such as hair

    @property
    def panorama(self) -> np.ndarray:
        """(32, 64, 3) linear radiance of the photo's light round the camera, as `environments.environment` has it."""
        directions = sphere(*PANORAMA).reshape(-1, 3)
        light = self.separated.light
        radiance = light.radiance(directions @ self.turn)
        for toward, lamp in zip(light.lamp_directions @ self.turn.T, light.lamps):
            inside = np.clip((directions @ toward - np.cos(LAMP_SIZE * 1.5)) / (1 - np.cos(LAMP_SIZE)), 0, 1)[:, None]
            area = np.cos(np.arcsin(np.clip(directions[:, 1:2], -1, 1))) * 2 * np.pi**2 / len(directions)
            radiance = radiance + inside * lamp * np.pi / max(float((inside * area).sum()), 1e-6)
        return radiance.reshape(*PANORAMA, 3).astype(np.float32)

    def light_json(self) -> dict:
        """The light as plain values: spherical harmonics in camera space, lamps, and how sure all is."""
        light, tone = self.separated.light.turned(self.turn), self.separated.tone
        return {
            "space": "camera: x right, y up, z toward the viewer",
            "sky": {
                "basis": "orthonormal real spherical harmonics of radiance, polar axis z, m from -l to l",
                "bands": band_of_functions().tolist(),
                "rgb": np.round(light.sky, 5).tolist(),
            },
            "lamps": [
                {"direction": np.round(toward, 4).tolist(), "irradiance_over_pi": np.round(lamp, 4).tolist()}
                for toward, lamp in zip(light.lamp_directions, light.lamps)
            ],
            "explains": {"all": round(light.explained, 3), "lamps": round(light.gained, 3)},
            "skin": {"lightness": round(tone.lightness, 1), "deviation": round(tone.deviation, 1)},
            "warnings": list(self.warnings),
        }


def separate(face: Reconstruction, size: int = 1024) -> Material:
    """Take the light of the photo off a face: maps of `size` texels a side, a power of two from 256.

    Takes some seconds. Texels that the photo does not show are completed from the other side and from statistics.
    """
    return _separate(face, face.unwrapped, size)


def separate_person(faces: Sequence[Reconstruction], size: int = 1024) -> list[Material]:
    """One reflectance from several photos of a person, each with a light of its own; one material for each photo.

    All have the same maps: the mean of their albedos, by how surely each photo shows a vertex in clear light.
    """
    materials = [separate(face, size) for face in faces]
    observed = [_observed(face, face.unwrapped) for face in faces]
    sure = np.stack(
        [
            (one.weight * (1.02 - material.separated.doubt) / material.separated.tone.deviation**2)
            for one, material in zip(observed, materials)
        ]
    )
    share = (sure + 1e-4) / (sure + 1e-4).sum(axis=0)
    logs = np.stack([np.log(material.separated.albedo) for material in materials])
    both = (sure + 1e-4).prod(axis=0) * faces[0].face_model.skin
    tones = np.stack([both @ each / both.sum() for each in logs])  # (P, 3): photos differ in how bright skin seems
    tone = (tones * share.mean(axis=1)[:, None]).sum(axis=0)
    albedo = np.exp((share[..., None] * (logs - (tones - tone)[:, None])).sum(axis=0)).astype(np.float32)
    best = int(np.argmax(sure.sum(axis=1)))
    shared = replace(materials[best].separated, albedo=albedo)
    texture = _bare(_resized(faces[best].unwrapped, size), observed[best], faces[best].face_model)
    maps = paint_maps(shared, texture, observed[best].colours, faces[best].face_model, faces[best].part_colours)
    return [replace(one, maps=maps, separated=replace(one.separated, albedo=albedo)) for one in materials]


def _separate(face: Reconstruction, texture: Texture, size: int) -> Material:
    model = face.face_model
    observed = _observed(face, texture)
    transfer = compute_transfer(face.vertices, WholeHead.of(model).model_normals(face.vertices), model.triangles)
    separated = separate_vertices(observed, transfer, model)
    if observed.grey:
        grey = separated.albedo @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        separated = replace(separated, albedo=np.repeat(grey[:, None], 3, axis=1))
    maps = paint_maps(
        separated, _bare(_resized(texture, size), observed, model), observed.colours, model, face.part_colours
    )
    turn = rotation_matrix(face.coefficients.rotation)[0]
    return Material(maps, separated, transfer, turn, _warnings(observed, separated), _evened(observed, separated))


def _observed(face: Reconstruction, texture: Texture) -> Observed:
    camera = np.array([0, 0, face.camera.distance]) - face.coefficients.translation[0]
    return Observed.of(texture, face.face_model, face.vertices, face.coefficients.rotation[0], camera, _on_skin(face))


def _on_skin(face: Reconstruction) -> np.ndarray | None:
    """(V, 2) how far the photo shows hair and glasses at the vertices; None where nobody looked."""
    return None if face.hair_mask is None else face.hair_mask.on_skin(face.to_photo(face.vertices)[:, :2])


def _bare(texture: Texture, observed: Observed, model: FaceModel) -> Texture:
    """The photo unwrapped, without the skin behind glasses: nobody wears them on the skin in another light."""
    free = over_texels(Atlas.of(model, len(texture.weight)), model, observed.free[:, None])[..., 0]
    return replace(texture, weight=np.rint(texture.weight * free).astype(np.uint8))


def _evened(observed: Observed, separated: Separated) -> np.ndarray:
    seen = observed.weight * observed.skin
    return (seen @ separated.albedo + 1e-4) / (seen @ observed.colours + 1e-4)


def _resized(texture: Texture, size: int) -> Texture:
    if size == len(texture.weight):
        return texture
    shape = (size, size)
    image, weight = (
        Image.fromarray(each).resize(shape, Image.Resampling.BICUBIC) for each in (texture.image, texture.weight)
    )
    return Texture(np.asarray(image), np.asarray(weight))


def _warnings(observed: Observed, separated: Separated) -> tuple[str, ...]:
    if not separated.seen:
        return (UNSEEN,)
    light, white = separated.light, np.log(np.maximum(separated.tone.white, 1e-4))
    checks = [
        (observed.grey, GREY),
        (observed.saturated > LARGE_SATURATION, SATURATED.format(observed.saturated)),
        (not observed.grey and np.ptp(white) > STRONG_HUE, COLOURED),
        (light.explained < LEAST_EXPLAINED, UNEXPLAINED),
        (separated.tone.deviation > LARGE_DEVIATION, UNSURE),
    ]
    return tuple(sentence for wrong, sentence in checks if wrong)
