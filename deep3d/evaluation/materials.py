"""How well light is taken off made-up heads: albedo, gloss and the face in another light, against true maps.

Errors are over the vertices of facial skin that the photo shows. Albedos are linear and divided by their mean, since
exposure cannot be known; how far brightness is off is told apart.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from deep3d.camera import rotation_matrix
from deep3d.errors import NoFaceFound
from deep3d.material.gloss import usual_gloss
from deep3d.material.light import gloss_transfer
from deep3d.material.material import Material, separate
from deep3d.material.observed import Observed, coded
from deep3d.material.transfer import compute_transfer
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.reconstruction import Reconstruction
from deep3d.synthetic.lit_heads import Light, LitHeadGenerator
from deep3d.texture.atlas import vertex_texels

SEED = 990_200_001  # of heads to measure on
TONES = {"very fair": 74.0, "fair": 65.0, "tan": 53.0, "brown": 40.0, "dark": 29.0}
"""CIELAB L* of the skins of the groups: about Monk's 2, 4, 6, 8 and 9."""
MIDDLE = 0.25  # linear brightness to which pictures are brought before they are compared


@dataclass(frozen=True)
class MaterialFigures:
    """Means over all heads, and over those of each tone."""

    count: int
    albedo: float  # relative error of the albedo
    photo: float  # the same of the unwrapped photo
    by_tone: dict[str, float]  # the albedo's, by group
    brightness: dict[str, float]  # by group, factor by which the albedo is too bright: geometric mean
    gain_db: float  # PSNR in another light, beyond that of the plain texture lit the same
    specular: float  # rank correlation with the truth over the face
    roughness: float

    def to_markdown(self) -> str:
        """A table."""
        worst = max(self.by_tone.values()) / min(self.by_tone.values())
        rows = [
            ("albedo error over the unwrapped photo's", f"{self.albedo / self.photo:.2f}"),
            ("albedo error, relative", f"{self.albedo:.3f}"),
            *((f"the same, {name}", f"{value:.3f}") for name, value in self.by_tone.items()),
            ("worst group over best", f"{worst:.2f}"),
            *((f"brightness, {name}", f"{value:.2f}") for name, value in self.brightness.items()),
            ("PSNR in another light, gain in dB", f"{self.gain_db:.1f}"),
            ("specular, rank correlation", f"{self.specular:.2f}"),
            ("roughness, rank correlation", f"{self.roughness:.2f}"),
        ]
        head = [f"| {self.count} made-up heads | |", "|---|---:|"]
        return "\n".join([*head, *(f"| {name} | {value} |" for name, value in rows)]) + "\n"


def measure_materials(
    reconstructor: Reconstructor, count: int, advance: Callable[[str, int, int], None]
) -> MaterialFigures:
    """Draw `count` heads of all tones in turn, reconstruct them, and take their light off."""
    generator = LitHeadGenerator(reconstructor.face_model, SEED)
    names, rows = [*TONES], []
    for number in range(count):
        name = names[number % len(names)]
        row = _measured(reconstructor, generator, TONES[name])
        rows += [] if row is None else [(name, row)]
        advance("Made-up heads in made-up lights", number + 1, count)
    if not rows:
        raise NoFaceFound("made-up heads: no face found in any; use another checkpoint")
    table = np.array([row for _, row in rows])
    groups = {name: table[[tone == name for tone, _ in rows]] for name in dict.fromkeys(tone for tone, _ in rows)}
    albedo, photo, _, gain, specular, roughness = table.mean(axis=0)
    return MaterialFigures(
        len(rows),
        albedo,
        photo,
        {name: float(group[:, 0].mean()) for name, group in groups.items()},
        {name: float(np.exp(group[:, 2].mean())) for name, group in groups.items()},
        gain,
        specular,
        roughness,
    )


def _measured(reconstructor: Reconstructor, generator: LitHeadGenerator, lightness: float) -> np.ndarray | None:
    """Albedo error, photo error, logarithm of brightness, gain in dB and two correlations; None without a face."""
    head, light, other = generator.draw(lightness), generator.light(), generator.light()
    photo, _ = generator.photo(*generator.render(head, light))
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    try:
        face = reconstructor(file.getvalue())
    except NoFaceFound:
        return None
    material = separate(face, 512)
    model = face.face_model
    camera = np.array([0, 0, face.camera.distance]) - face.coefficients.translation[0]
    seen = Observed.of(face.unwrapped, model, face.vertices, face.coefficients.rotation[0], camera)
    column, row = model.derived(vertex_texels, len(head.maps.specular)).T
    shown = (seen.weight > 0.5) & (seen.skin > 0.5)
    truth = head.maps.albedo[row, column][shown]
    albedo, gloss = material.separated.albedo[shown], material.separated.gloss
    brightness = float(np.log(albedo.mean() / truth.mean()))
    shining = [
        spearmanr(found[shown], true[row, column][shown])[0]
        for found, true in ((gloss.specular, head.maps.specular), (gloss.roughness, head.maps.roughness))
    ]
    gain = _gain(face, material, seen, shown, other, generator.render(head, other)[0])
    return np.array([_error(albedo, truth), _error(seen.colours[shown], truth), brightness, gain, *shining])


def _gain(
    face: Reconstruction, material: Material, seen: Observed, shown: np.ndarray, light: Light, picture: np.ndarray
) -> float:
    """How many dB nearer the relit albedo comes to the true picture (H, W, 3) than the relit photo does."""
    turn = rotation_matrix(face.coefficients.rotation)[0]
    model = face.face_model
    transfer = compute_transfer(face.vertices, face.normals, model.triangles, light.directions @ turn)
    places = np.rint(face.to_photo(face.vertices)[:, :2]).astype(int).clip(0, len(picture) - 1)
    truth = picture[places[:, 1], places[:, 0]][shown]
    irradiance = transfer.lit @ light.power
    usual = usual_gloss(model)
    values = []
    for albedo, gloss in ((material.separated.albedo, material.separated.gloss), (seen.colours, usual)):
        relit = albedo * irradiance + gloss_transfer(transfer, seen.view, gloss) @ light.power
        values.append(_psnr(relit[shown], truth))
    return values[0] - values[1]


def _psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    difference = coded(picture / picture.mean() * MIDDLE) - coded(truth / truth.mean() * MIDDLE)
    return float(-10 * np.log10((difference**2).mean()))


def _error(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((values / values.mean() - truth / truth.mean()) ** 2).mean()))
