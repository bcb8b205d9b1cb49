"""Clips of synthetic people with the ground truth of each frame, for tests, measurements and examples.

The same seed gives the same clip. People, hair and light are like in the training heads, but moving.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from deep3d.camera import clip_space
from deep3d.face_model import FaceModel
from deep3d.rendering.kernels import rasterize_into
from deep3d.synthetic import layers, painting
from deep3d.synthetic.people.anatomy import Anatomy
from deep3d.synthetic.performance import Performance, nodding, still, talking, walking
from deep3d.synthetic.scenes import Director, Scenes, each_array
from deep3d.synthetic.surfaces import Overlay, Surfaces
from deep3d.synthetic.viewpoint import Standpoints

FOCAL_LENGTH = 1.6  # heights of the picture
NOISE = 3.0  # grey levels, standard deviation of the camera's noise in each frame


@dataclass(frozen=True, eq=False)
class DrawnClip:
    """F frames of synthetic people in front of one camera."""

    model: FaceModel
    looks: tuple[Scenes, ...]  # of each person, B = 1; expression and standpoint are not used
    performances: tuple[Performance, ...]
    width: int
    height: int
    rate: Fraction  # frames in a second
    seed: int
    noise: float = NOISE

    def __len__(self) -> int:
        return len(self.performances[0].size)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames (H, W, 3) uint8."""
        return (self.frame(number) for number in range(len(self)))

    def frame(self, number: int) -> np.ndarray:
        """One frame, with nearer people in front."""
        picture = self._background.copy()
        order = np.argsort([performance.size[number] for performance in self.performances], kind="stable")
        for person in order:
            self._draw(picture, int(person), number)
        noise = np.random.default_rng([self.seed, number]).standard_normal(picture.shape, np.float32)
        return np.clip(np.rint(255 * picture + self.noise * noise), 0, 255).astype(np.uint8)

    def landmarks68(self, person: int, number: int) -> np.ndarray:
        """(68, 2) the true landmarks of a person in a frame, pixels, in or beyond the picture."""
        scene = self._scene(person, number)
        points = self.model.markup.points(self.vertices(person, number)[None])
        return scene.standpoints.see(points)[0][0]

    def vertices(self, person: int, number: int) -> np.ndarray:
        """(V, 3) the true head in model space, expression included."""
        neutral = self.model.neutral_shape(self.looks[person].people.identity)
        return (neutral + self.model.expression_offsets(self.performances[person].expression[number, None]))[0]

    def identity(self, person: int) -> np.ndarray:
        """(80,) the true identity of a person."""
        return self.looks[person].people.identity[0]

    @cached_property
    def _noises(self) -> np.ndarray:
        return painting.noise_bank(np.random.default_rng(self.seed))

    @cached_property
    def _anatomy(self) -> Anatomy:
        return self.model.derived(Anatomy.of)

    @cached_property
    def _background(self) -> np.ndarray:
        picture = np.empty((self.height, self.width, 3), np.float32)
        place = self.looks[0].background
        fine = self._noises[place.noise[0]]
        painting.fill_background(picture, place.corners[0], fine, 0.3 * place.zoom[0], place.amount[0], place.offset[0])
        return picture.clip(0.02, 0.95)

    def _scene(self, person: int, number: int) -> Scenes:
        """One person in one frame, in the frame's pixels."""
        look, does = self.looks[person], self.performances[person]
        focal = FOCAL_LENGTH * self.height
        distance = FOCAL_LENGTH / does.size[number]
        stand = Standpoints(
            rotation=does.rotation[number, None].astype(np.float32),
            distance=np.array([distance], np.float32),
            aside=(does.position[number] * [1, -1] / does.size[number])[None].astype(np.float32),
            barrel=np.zeros(1, np.float32),
            scale=np.array([focal], np.float32),
            offset=np.array([[(self.width - 1) / 2, (self.height - 1) / 2]], np.float32),
        )
        return replace(look, people=replace(look.people, expression=does.expression[number, None]), standpoints=stand)

    def _draw(self, picture: np.ndarray, person: int, number: int) -> None:
        scene = self._scene(person, number)
        vertices = self.vertices(person, number)[None]
        _draw_shoulders(picture, scene)
        normals = np.empty_like(vertices)
        painting.normals_into(vertices, self.model.triangles, normals)
        opaque = layers.opaque_layer(self.model, self._anatomy, scene, vertices, normals)
        over = layers.overlay(self.model, self._anatomy, scene, vertices)
        window = _window(opaque, self.height, self.width)
        if window is None:
            return
        part = picture[window[1] : window[3], window[0] : window[2]]
        fine = self._noises[scene.skin.noise[0]]
        depth = _paint_opaque(part, opaque, window, fine)
        _paint_over(part, over, window, depth, fine)


def draw_people(model: FaceModel, count: int, seed: int) -> tuple[Scenes, ...]:
    """The appearance of synthetic people, without glasses and occluders."""
    noises = len(painting.noise_bank(np.random.default_rng(seed)))
    anatomy = model.derived(Anatomy.of)
    scenes = Director(model, anatomy.lowest, noises).random_scenes(np.random.default_rng(seed), count)
    bare = replace(
        scenes,
        glasses=replace(scenes.glasses, worn=np.zeros(count, bool)),
        behind=each_array(scenes.behind, lambda array: array[:, :0]),
        occluders=each_array(scenes.occluders, lambda array: array[:, :0]),
        skin=replace(scenes.skin, shadow_depth=np.zeros(count, np.float32)),
    )
    return tuple(each_array(bare, lambda array, row=row: array[row : row + 1]) for row in range(count))


def talking_clip(
    model: FaceModel, frames: int = 100, seed: int = 7, size: tuple[int, int] = (1280, 720), turning: float = 1.0
) -> DrawnClip:
    """One person who talks, blinks and turns, 30 frames a second; `size` is width and height."""
    return _clip(model, seed, size, [talking(_seconds(frames), model.expression_names, seed, turning)])


def still_clip(model: FaceModel, frames: int = 60, seed: int = 7, size: tuple[int, int] = (1280, 720)) -> DrawnClip:
    """One person who keeps still in front of a noisy camera."""
    return _clip(model, seed, size, [still(_seconds(frames), model.expression_names)])


def nodding_clip(model: FaceModel, frames: int = 90, seed: int = 7, size: tuple[int, int] = (1280, 720)) -> DrawnClip:
    """One person who nods."""
    return _clip(model, seed, size, [nodding(_seconds(frames), model.expression_names)])


def crossing_clip(
    model: FaceModel, frames: int = 240, seed: int = 11, size: tuple[int, int] = (1280, 720)
) -> DrawnClip:
    """Three people: two cross twice, one in front of the other; the third leaves the picture and comes back."""
    seconds = _seconds(frames)
    end = frames / 30
    names = model.expression_names
    paths = [
        np.array(
            [[0, -0.55, 0.02], [0.2 * end, -0.5, 0], [0.45 * end, 0.1, 0], [0.8 * end, -0.5, 0.02], [end, -0.5, 0]]
        ),
        np.array([[0, 0.1, 0], [0.2 * end, 0.1, 0], [0.45 * end, -0.5, 0], [0.8 * end, 0.1, 0], [end, 0.12, 0.02]]),
        np.array(
            [
                [0, 0.6, 0],
                [0.3 * end, 0.6, 0],
                [0.45 * end, 1.3, 0],
                [0.65 * end, 1.3, 0],
                [0.8 * end, 0.6, 0],
                [end, 0.6, 0],
            ]
        ),
    ]
    sizes = (0.115, 0.095, 0.105)
    return _clip(
        model, seed, size, [walking(seconds, names, *each, seed + k) for k, each in enumerate(zip(paths, sizes))]
    )


def _clip(model: FaceModel, seed: int, size: tuple[int, int], performances: Sequence[Performance]) -> DrawnClip:
    looks = draw_people(model, len(performances), seed)
    return DrawnClip(model, looks, tuple(performances), *size, Fraction(30), seed)


def _seconds(frames: int) -> np.ndarray:
    return np.arange(frames) / 30


def _window(surfaces: Surfaces, height: int, width: int) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of surfaces (B = 1) in a picture, None if they are not visible."""
    there = surfaces.pixels[0][surfaces.depth[0] > 0]
    low = np.clip(np.floor(there.min(axis=0)).astype(int) - 2, 0, [width, height])
    high = np.clip(np.ceil(there.max(axis=0)).astype(int) + 3, 0, [width, height])
    return None if (high <= low).any() else (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _fragments(surfaces: Surfaces, window: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = window[3] - window[1], window[2] - window[0]
    pixels = surfaces.pixels - np.array(window[:2], np.float32)
    clip = clip_space(pixels, surfaces.depth, size)[0].astype(np.float32)
    triangle, weights, depth = np.empty(size, np.int32), np.empty((*size, 2), np.float32), np.empty(size, np.float32)
    rasterize_into(clip, surfaces.triangles, triangle, weights, depth)
    return triangle, weights, depth


def _paint_opaque(
    part: np.ndarray, surfaces: Surfaces, window: tuple[int, int, int, int], fine: np.ndarray
) -> np.ndarray:
    """Paint the head and the hair, and give the rasteriser's depths."""
    triangle, weights, depth = _fragments(surfaces, window)
    look = (surfaces.colours[0], surfaces.grain[0], surfaces.contrast[0])
    painting.paint_surfaces(part, surfaces.triangles, triangle, weights, *look, fine)
    return depth


def _paint_over(
    part: np.ndarray, over: Overlay, window: tuple[int, int, int, int], depth: np.ndarray, fine: np.ndarray
) -> None:
    surfaces = over.surfaces
    triangle, weights, nearer = _fragments(surfaces, window)
    look = (surfaces.colours[0], surfaces.grain[0], surfaces.contrast[0], over.opacity[0], over.inside[0])
    painting.paint_overlay(part, depth, surfaces.triangles, triangle, weights, nearer, *look, fine)


def _draw_shoulders(picture: np.ndarray, scene: Scenes) -> None:
    """A plain shirt below the head, which does not rotate with it."""
    stand = scene.standpoints
    size = float(stand.pixels_per_dm[0])
    middle = stand.offset[0] + stand.aside[0] * [1, -1] * size + [0, 2.95 * size]
    half = np.array([2.3, 2.1]) * size
    left, right = (int(np.clip(middle[0] + side * half[0], 0, picture.shape[1])) for side in (-1, 1))
    top = int(np.clip(middle[1] - half[1], 0, picture.shape[0]))
    if right <= left:
        return
    rows, columns = np.mgrid[top : picture.shape[0], left:right]
    x, y = (columns - middle[0]) / half[0], np.minimum((rows - middle[1]) / half[1], 0)
    inside = np.clip((1 - np.abs(x) ** 3 - np.abs(y) ** 2.2) * 0.35 * size, 0, 1)[..., None]
    shirt = scene.hair.colour[0] * [0.8, 1.0, 1.3] + 0.18
    shade = (1.05 - 0.35 * x**2 + 0.1 * x)[..., None]
    part = picture[top:, left:right]
    part += (inside * (shirt * shade - part)).astype(np.float32)
