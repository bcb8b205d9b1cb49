"""Synthetic heads of free shapes with ground truth per pixel: height, normal, point of the model, visibility."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deep3d.camera import clip_space, rotation_matrix
from deep3d.dense.maps import MAP_SIZE, SurfaceMaps, fragments, surface_maps
from deep3d.face_model import FaceModel
from deep3d.synthetic import layers
from deep3d.synthetic.heads import HeadGenerator, Shots
from deep3d.synthetic.people.glasses import RIM
from deep3d.synthetic.scenes import Scenes
from deep3d.synthetic.surfaces import PICTURE
from deep3d.synthetic.things import CORNERS, MOST_OCCLUDERS

BACKGROUND, SKIN, HAIR, GLASSES, OCCLUDER = range(5)

_SEGMENTS = 2 * (RIM - 1) + 8 + 2 * 11  # of rims, arch and temples
GLASSES_TRIANGLES = 2 * (RIM - 1) + 4 * _SEGMENTS  # triangles of lenses and of all that
OCCLUDER_TRIANGLES = MOST_OCCLUDERS * CORNERS  # triangles
_BALD = 0.5  # of a scalp's hair, below which it counts as skin

Displace = Callable[[np.random.Generator, int], np.ndarray]
"""Draws displacements (B, V, 3) in decimetres for so many people: `FreeShapes.draw`, `RegionShapes.draw`."""


@dataclass(frozen=True)
class MappedHeads:
    """B synthetic photos and the ground truth of their pixels, in maps like those of a mesh."""

    crops: np.ndarray  # (B, 224, 224, 3) uint8
    vectors: np.ndarray  # (B, 257) float32 the linear part of shape and expression, and the nearest pose
    classes: np.ndarray  # (B, S, S) uint8 numbers of `CLASSES`
    maps: SurfaceMaps  # of the head, whether or not it is hidden


class MappedHeadGenerator(HeadGenerator):
    """Draws heads whose shapes are displaced from the linear model's; the same seed gives the same heads."""

    def __init__(self, model: FaceModel, seed: int, displace: Displace, map_size: int = MAP_SIZE) -> None:
        super().__init__(model, seed)
        self._displace, self._size = displace, map_size

    def draw_mapped(self, count: int) -> MappedHeads:
        """Draw `count` heads."""
        model = self._model
        scenes, shots = self._shots(count)
        pixels, distance = scenes.standpoints.see(shots.vertices)
        turn = rotation_matrix(shots.face.rotation).mT
        clip = clip_space(pixels, distance, PICTURE)
        turned = shots.vertices @ turn, shots.normals @ turn
        maps = surface_maps(clip, *turned, model.mean_shape, model.triangles, self._size)
        classes = np.stack([self._classes(scenes, shots, b) for b in range(count)])
        return MappedHeads(shots.crops, shots.face.to_vector(), classes, maps)

    def draw_shots(self, count: int) -> Shots:
        """Draw `count` heads, with their geometry only."""
        return self._shots(count)[1]

    def _shots(self, count: int) -> tuple[Scenes, Shots]:
        scenes = self._director.random_scenes(self._rng, count)
        return scenes, self.shoot(scenes, self._displace(self._rng, count))

    def _classes(self, scenes: Scenes, shots: Shots, b: int) -> np.ndarray:
        """The class of each pixel (S, S) of scene `b`."""
        opaque, over = (layer.triangles for layer in (shots.opaque, shots.over.surfaces))
        triangle, _, behind = fragments(shots.clips[0][b], opaque, self._size)
        head, shell = len(self._model.triangles), len(layers.SHELL_TRIANGLES)
        hairy = self._anatomy.scalp[self._model.triangles].mean(axis=1) * scenes.skin.scalp[b] > _BALD
        kinds = np.full(len(opaque) + 1, BACKGROUND, np.uint8)  # the last is of no triangle
        kinds[-1 - shell - head : -1 - shell] = np.where(hairy, HAIR, SKIN)
        kinds[-1 - shell : -1] = HAIR
        classes = kinds[triangle]
        triangle, _, nearer = fragments(shots.clips[1][b], over, self._size)
        kinds = np.full(len(over) + 1, BACKGROUND, np.uint8)
        kinds[-1 - OCCLUDER_TRIANGLES - GLASSES_TRIANGLES : -1 - OCCLUDER_TRIANGLES] = GLASSES
        kinds[-1 - OCCLUDER_TRIANGLES : -1] = OCCLUDER
        over_classes = kinds[triangle]
        return np.where((over_classes > 0) & (nearer < behind), over_classes, classes)
