"""Make the people of the first page, whom nobody has ever seen, and their faces: python docs/make_examples.py

Each is drawn by the generator of training photos, calmly lit and larger than for training, then reconstructed as any
photo would be. The files go to serving/static/examples.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from PIL import Image

from deep3d import (
    Pose,
    Reconstruction,
    Reconstructor,
    WholeHead,
    default_face_model,
    draw_view,
    read_photo,
    write_results,
    write_web,
)
from deep3d.lighting import AMBIENT
from deep3d.rendering.kernels import rasterize_into
from deep3d.synthetic import layers, painting
from deep3d.synthetic.heads import HeadGenerator
from deep3d.synthetic.light import lamp
from deep3d.synthetic.scenes import Scenes, each_array, single_precision
from deep3d.synthetic.things import MOST_BEHIND, random_things_behind

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "serving" / "static" / "examples"
SEED, PEOPLE = 11, 24
CHOSEN = {"mira": 2, "jonas": 13, "tomas": 21}  # of these people
ON_FIRST_PAGE = "mira"
VIDEO_SIDE, FRAMES, RATE = 480, 144, 24
FARTHEST_TURN = 55.0  # degrees
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
NEAR, FAR = (247, 246, 242), (217, 215, 208)  # the stage of result.css

SMILE = {"mouthSmile_L": 0.4, "mouthSmile_R": 0.42, "cheekSquint_L": 0.2, "cheekSquint_R": 0.2}
DISTANCE = 11.0  # decimetres, as a portrait lens wants it
KEY = (0.45, 0.5, 0.75)  # toward the lamp
PIXELS_PER_DM = 64.0  # of a training photo
MIDDLE = (112.0, 116.0)
SIDE = 896  # pixels of a photo while it is drawn: four for each of a training photo


class Studio(HeadGenerator):
    """Photographs people as a portrait studio would."""

    def portraits(self, count: int) -> np.ndarray:
        """(B, SIDE, SIDE, 3) uint8 of people."""
        scenes = self._director.random_scenes(self._rng, count)
        neck = self._director._points(scenes.people)[:, 68:]
        scenes = _calm(scenes, self._model.expression_names, neck, self._rng)
        model, people = self._model, scenes.people
        vertices = model.neutral_shape(people.identity) + model.expression_offsets(people.expression)
        normals = np.empty_like(vertices)
        painting.normals_into(vertices, model.triangles, normals)
        opaque = layers.opaque_layer(model, self._anatomy, scenes, vertices, normals)
        over = layers.overlay(model, self._anatomy, scenes, vertices)
        return np.stack([self._large(scenes, opaque, over, b) for b in range(count)])

    def _large(self, scenes, opaque, over, b: int) -> np.ndarray:
        fine = self._noise[scenes.skin.noise[b]]
        picture = _backdrop(b)
        triangle, weights, depth = _fragments(opaque.clip[b], opaque.triangles)
        look = (opaque.colours[b], opaque.grain[b], opaque.contrast[b])
        painting.paint_surfaces(picture, opaque.triangles, triangle, weights, *look, fine)
        surfaces = over.surfaces
        triangle, weights, nearer = _fragments(over.surfaces.clip[b], surfaces.triangles)
        look = (surfaces.colours[b], surfaces.grain[b], surfaces.contrast[b], over.opacity[b], over.inside[b])
        painting.paint_overlay(picture, depth, surfaces.triangles, triangle, weights, nearer, *look, fine)
        return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)


def _calm(scenes: Scenes, names: tuple[str, ...], neck: np.ndarray, rng: np.random.Generator) -> Scenes:
    """The same people with a slight smile, nearly from the front, in soft light, without glasses, hats or hands."""
    count = len(scenes.lighting)
    expression = np.zeros_like(scenes.people.expression)
    for name, weight in SMILE.items():
        expression[:, names.index(name)] = weight
    yaw = np.radians(np.linspace(-14, 14, count)).astype(np.float32)
    distance = np.full(count, DISTANCE, np.float32)
    key = np.tile(np.array(KEY, np.float32) / np.linalg.norm(KEY), (count, 1))
    light = (0.75 * lamp(key[0]) + 0.45 * lamp(np.array([-0.8, 0.1, 0.6]))) / 1.05
    light[0] += 0.62 - AMBIENT
    zeros = np.zeros(count, np.float32)
    standpoints = replace(
        scenes.standpoints,
        rotation=np.stack([zeros - 0.03, yaw, zeros], axis=1),
        distance=distance,
        aside=np.zeros((count, 2), np.float32),
        barrel=zeros,
        scale=PIXELS_PER_DM * distance,
        offset=np.tile(np.array(MIDDLE, np.float32), (count, 1)),
    )
    behind = random_things_behind(rng, standpoints.see(neck)[0][:, 0])
    behind.outlines[:, :MOST_BEHIND] = 0  # the clothes stay
    return replace(
        scenes,
        people=replace(
            scenes.people,
            identity=0.75 * scenes.people.identity,
            albedo=0.6 * scenes.people.albedo,
            expression=expression,
        ),
        standpoints=standpoints,
        lighting=np.tile(np.tile(light, 3).astype(np.float32), (count, 1)),
        key=key,
        skin=replace(
            scenes.skin,
            shadow_depth=zeros,
            contrast=zeros + 0.012,
            gloss=zeros + 0.06,
            scatter=zeros + 0.6,
            scalp=zeros + 0.9,
            forehead_lines=zeros,
            crows_feet=zeros + 0.06,
            folds=zeros + 0.1,
        ),
        hair=replace(scenes.hair, worn=np.ones(count, bool), colour=scenes.hair.hair_colour),
        glasses=replace(scenes.glasses, worn=np.zeros(count, bool)),
        behind=each_array(behind, single_precision),
        occluders=replace(scenes.occluders, outlines=np.zeros_like(scenes.occluders.outlines)),
    )


def _backdrop(number: int) -> np.ndarray:
    tones = np.array([[0.72, 0.76, 0.78], [0.80, 0.76, 0.70], [0.68, 0.72, 0.66], [0.74, 0.70, 0.76]])
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    light = 1.08 - 0.45 * ((columns - 0.5) ** 2 + (rows - 0.4) ** 2)
    return (tones[number % 4] * light[..., None]).astype(np.float32)


def _fragments(clip: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    triangle, depth = np.empty((SIDE, SIDE), np.int32), np.empty((SIDE, SIDE), np.float32)
    weights = np.empty((SIDE, SIDE, 2), np.float32)
    rasterize_into(clip, triangles, triangle, weights, depth)
    return triangle, weights, depth


def main() -> None:
    """Make all examples, and the video of the first page."""
    photos = Studio(default_face_model(), SEED).portraits(PEOPLE)
    pictures = {name: Image.fromarray(photos[number]) for name, number in CHOSEN.items()}
    pictures["astronaut"] = Image.open(DOCS / "sample" / "astronaut.jpg")
    reconstructor = Reconstructor.load(hair="shell")
    for name, picture in pictures.items():
        _write(reconstructor, picture, EXAMPLES / name, name)
    face = reconstructor(EXAMPLES / ON_FIRST_PAGE / "photo.jpg")
    _write_video(face, EXAMPLES)


def _write(reconstructor: Reconstructor, picture: Image.Image, folder: Path, name: str) -> None:
    """What the viewer shows of one person."""
    folder.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(folder / "photo.jpg", quality=88)
    face = reconstructor(read_photo(folder / "photo.jpg"))
    with TemporaryDirectory() as scratch:
        results = Path(scratch) / "face"
        write_results(face, results)
        write_web(face, results)
        for file in ("face.web.glb", "face.json", "overlay.jpg", "preview.jpg"):
            shutil.copy(results / file, folder / file)
        with Image.open(results / "albedo.png") as albedo:
            albedo.resize((512, 512)).save(folder / "albedo.webp", quality=85, method=6)
    front = Image.fromarray(_view(face, 0.0, 320))
    front.save(folder / "front.webp", quality=82, method=6)


def _write_video(face: Reconstruction, folder: Path) -> None:
    """A head that turns slowly from side to side, as a video and as its first picture."""
    swing = FARTHEST_TURN * np.sin(2 * np.pi * np.arange(FRAMES) / FRAMES)
    frames = [_view(face, float(yaw), VIDEO_SIDE) for yaw in swing]
    Image.fromarray(frames[0]).save(folder / "turning.webp", quality=82, method=6)
    with av.open(str(folder / "turning.mp4"), "w", options={"movflags": "faststart"}) as video:
        stream = video.add_stream("libx264", rate=Fraction(RATE), options={"crf": "27", "preset": "veryslow"})
        stream.width = stream.height = VIDEO_SIDE
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        video.mux(stream.encode())


def _view(face: Reconstruction, yaw: float, side: int) -> np.ndarray:
    """(side, side, 3) uint8: the head on the viewer's stage, drawn at twice the size."""
    mesh = WholeHead.of(face.face_model).mesh(face.face_model.shape(face.coefficients)[0])
    on = [
        draw_view(mesh, face.texture, Pose(yaw, 0, 0), 2 * side, colour, face.hair).astype(np.float32)
        for colour in (BLACK, WHITE)
    ]
    head = 1 - (on[1] - on[0]).mean(axis=2, keepdims=True) / 255
    picture = on[0] + (1 - head) * _stage(2 * side)
    small = Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BOX
    )
    return np.asarray(small)


def _stage(side: int) -> np.ndarray:
    """(side, side, 3): the viewer's backdrop, with the shadow under the head."""
    rows, columns = np.mgrid[0:side, 0:side] / side - 0.5
    far = np.clip(np.hypot(rows + 0.05, columns) / 0.75, 0, 1)[..., None]
    backdrop = np.array(NEAR) * (1 - far) + np.array(FAR) * far
    shadow = np.exp(-(((rows - 0.46) / 0.05) ** 2) - (columns / 0.26) ** 2)[..., None]
    return backdrop * (1 - 0.4 * shadow)


if __name__ == "__main__":
    main()
