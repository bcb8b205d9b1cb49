"""The face model's mesh and the parts that complete it, as one mesh over the same texture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deep3d.face_model import FaceModel
from deep3d.mesh import Mesh, vertex_normals, vertex_triangles
from deep3d.whole_head.bite import behind_lips
from deep3d.whole_head.colours import GREY, USUAL, PartColours
from deep3d.whole_head.painting import Canvas
from deep3d.whole_head.parts import Parts, read_parts


@dataclass(frozen=True, eq=False)
class WholeHead:
    """A mesh of W vertices: the model's V under their numbers, and those of the parts."""

    face_model: FaceModel
    parts: Parts

    @classmethod
    def of(cls, face_model: FaceModel) -> WholeHead:
        """The whole head of a model, cached with it; for models without parts it is the model's own mesh."""
        return face_model.derived(_build)

    @cached_property
    def triangles(self) -> np.ndarray:
        """(T, 3) int32, first those of the model that the parts do not replace."""
        return np.concatenate([self.face_model.triangles[self._kept], self.parts.triangles])

    @cached_property
    def uv(self) -> np.ndarray:
        """(U, 2) in [0, 1], v up, the model's first."""
        return np.concatenate([self.face_model.uv, self.parts.uv])

    @cached_property
    def uv_triangles(self) -> np.ndarray:
        """(T, 3) int32 into `uv`."""
        own = self.face_model.uv_triangles[self._kept]
        return np.concatenate([own, self.parts.uv_triangles + len(self.face_model.uv)])

    @cached_property
    def _kept(self) -> np.ndarray:
        """Which of the model's triangles are shown."""
        return np.any(~np.isin(self.face_model.triangles, self.parts.replaced), axis=1)

    @cached_property
    def _lashes(self) -> int:
        """How many triangles the lashes have, the last ones: their points follow the mouth's."""
        first = len(self.face_model.mean_shape) + int(np.flatnonzero(self.parts.arch).max(initial=-1)) + 1
        return int((self.parts.triangles >= first).all(axis=1).sum()) if self.parts.arch.any() else 0

    @cached_property
    def _adjacency(self) -> np.ndarray:
        return vertex_triangles(self.triangles, len(self.face_model.mean_shape) + len(self.parts.vertices))

    def vertices(self, vertices: np.ndarray) -> np.ndarray:
        """(W, 3) of the model's vertices (V, 3) in model space, decimetres, rotation and translation not included."""
        moved = self.parts.carried(vertices - self.face_model.mean_shape)
        points = behind_lips(self.parts.vertices + moved, vertices, self.parts)
        return np.concatenate([vertices, points]).astype(vertices.dtype)

    def offsets(self, offsets: np.ndarray) -> np.ndarray:
        """(W, 3) how all vertices move when the model's move by (V, 3)."""
        return np.concatenate([offsets, self.parts.carried(offsets)]).astype(offsets.dtype)

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """(W, 3) unit normals of vertices (W, 3)."""
        return vertex_normals(vertices[None], self.triangles, self._adjacency)[0]

    def model_normals(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) unit normals of the model's vertices (V, 3), at whose cut neck the bust goes on.

        Slivers of that cut lie in its plane, so that without the bust some of its normals would point up or down.
        """
        return self.normals(self.vertices(vertices))[: len(vertices)]

    def mesh(self, vertices: np.ndarray) -> Mesh:
        """The whole head of the model's vertices (V, 3)."""
        return Mesh(self.vertices(vertices), self.triangles, self.uv, self.uv_triangles, self._lashes)

    def painted(self, texture: np.ndarray, colours: PartColours = USUAL, lit: bool = True) -> np.ndarray:
        """A texture (S, S, 3) uint8 with the parts beside its charts, in their colours.

        `lit`: in a soft light, as in a photo; without, in their own values.
        """
        return self._canvas(texture).painted(texture, colours, lit) if len(self.parts.vertices) else texture

    def filled(self, image: np.ndarray, shirt: tuple[int, ...] | None = None) -> np.ndarray:
        """An image (S, S) or (S, S, n) uint8 of anything but colours, with the parts beside its charts.

        `shirt` is what a shirt has there, like skin if it is not given.
        """
        return self._canvas(image).filled(image, shirt) if len(self.parts.vertices) else image

    def part_colours(self, texture: np.ndarray) -> PartColours:
        """Those that a texture (S, S, 3) uint8 was `painted` with, without light."""
        return self._canvas(texture).part_colours(texture) if len(self.parts.vertices) else USUAL

    def skin_level(self, texture: np.ndarray) -> float:
        """Mean brightness of the facial skin in a texture (S, S, 3) uint8, which `PartColours` are relative to."""
        return max(float(self._canvas(texture).skin_colour(texture) @ GREY), 1.0)

    def _canvas(self, image: np.ndarray) -> Canvas:
        return Canvas.of(self.face_model, self.parts, len(image))


def _build(face_model: FaceModel) -> WholeHead:
    return WholeHead(face_model, read_parts(face_model))
