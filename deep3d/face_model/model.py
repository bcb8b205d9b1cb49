"""A linear face model (Blanz and Vetter, 1999): from coefficients to vertices and colours."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from deep3d.arrays import Array, array_namespace
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model.components import Components
from deep3d.face_model.markup import Markup, find_markup
from deep3d.mesh import Mesh, vertex_normals

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


@dataclass(frozen=True)
class ModelInfo:
    """The metadata of a face model file."""

    name: str
    version: str
    licence: str
    source: str
    sha256: str  # of the file


@dataclass(frozen=True, eq=False)
class ModelPart:
    """Some of a face model's vertices, whose shapes take less time than all."""

    mean_shape: np.ndarray  # (P, 3)
    identity_components: Components
    expression_components: Components

    def shape(self, coefficients: FaceCoefficients) -> Array:
        """Vertices (B, P, 3): those of `FaceModel.shape`."""
        neutral = self.mean_shape + self.identity_components(coefficients.identity)
        return neutral + self.expression_components(coefficients.expression)


@dataclass(frozen=True, eq=False)
class FaceModel:
    """V vertices in decimetres, recentred so that their mean is the origin. All arrays numpy, or all torch."""

    info: ModelInfo
    mean_shape: Array  # (V, 3)
    mean_albedo: Array  # (V, 3) RGB in [0, 1]
    identity_components: Components  # 80, decimetres for one standard deviation
    expression_components: Components  # 64, decimetres for weight 1
    albedo_components: Components  # 80, RGB for one standard deviation
    triangles: Array  # (T, 3) int32
    adjacency: Array  # (V, valence) int32, see mesh.vertex_triangles
    uv: Array  # (U, 2) in [0, 1], v up
    uv_triangles: Array  # (T, 3) int32
    landmark_triangles: Array  # (68,) int32: triangles of the networks' landmarks, see `landmarks`
    landmark_weights: Array  # (68, 3) barycentric
    skin: Array  # (V,) in [0, 1]: 1 on facial skin, 0 on eyes, mouth interior and scalp
    mirror: Array  # (V,) int32: the vertex on the other side of the face
    expression_names: tuple[str, ...]  # 64
    _derived: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def shape(self, coefficients: FaceCoefficients) -> Array:
        """Vertices (B, V, 3) in model space, before rotation and translation."""
        return self.neutral_shape(coefficients.identity) + self.expression_offsets(coefficients.expression)

    def neutral_shape(self, identity: Array) -> Array:
        """Vertices (B, V, 3) of (B, 80) identities without expression."""
        return self.mean_shape + self.identity_components(identity)

    def expression_offsets(self, expression: Array) -> Array:
        """Offsets (B, V, 3) of (B, 64) expressions."""
        return self.expression_components(expression)

    def part(self, vertices: np.ndarray) -> ModelPart:
        """The part of a numpy model with some vertices, by their numbers (P,)."""
        components = (self.identity_components, self.expression_components)
        return ModelPart(self.mean_shape[vertices], *(each.of_vertices(vertices) for each in components))

    def albedo(self, albedo: Array) -> Array:
        """Vertex colours (B, V, 3), RGB around [0, 1] and not clamped, of (B, 80) albedo coefficients."""
        return self.mean_albedo + self.albedo_components(albedo)

    def normals(self, vertices: Array) -> Array:
        """Unit vertex normals (B, V, 3) of (B, V, 3) vertices."""
        return vertex_normals(vertices, self.triangles, self.adjacency)

    def landmarks(self, vertices: Array) -> Array:
        """The 68 landmarks (B, 68, 3) on the surface of (B, V, 3) vertices (any last axis works).

        In the open model these have MediaPipe's placement, which the networks learned; `markup` has the field's.
        """
        xp = array_namespace(vertices)
        corners = [
            xp.take(vertices, xp.take(self.triangles[:, corner], self.landmark_triangles, axis=0), axis=1)
            for corner in range(3)
        ]
        return sum(corners[corner] * self.landmark_weights[:, corner, None] for corner in range(3))

    def mesh(self, vertices: np.ndarray) -> Mesh:
        """One (V, 3) vertex array as a textured mesh."""
        return Mesh(vertices, self.triangles, self.uv, self.uv_triangles)

    @property
    def identity_basis(self) -> Array:
        """(80, V * 3) decimetres for one standard deviation; computed at each call, like the other two."""
        return self.identity_components.basis

    @property
    def expression_basis(self) -> Array:
        """(64, V * 3) decimetres for weight 1."""
        return self.expression_components.basis

    @property
    def albedo_basis(self) -> Array:
        """(80, V * 3) RGB for one standard deviation."""
        return self.albedo_components.basis

    @cached_property
    def landmark_vertices(self) -> np.ndarray:
        """(68,) the vertex nearest to each of `landmarks` of the mean shape."""
        heaviest = np.argmax(self.landmark_weights, axis=1)
        return self.triangles[self.landmark_triangles, heaviest]

    @cached_property
    def markup(self) -> Markup:
        """The places of the field's 68 landmarks on a numpy model."""
        return find_markup(self)

    def derived(self, make: Callable[..., T], *arguments: Hashable) -> T:
        """`make(model, *arguments)`, computed once and cached with the model: tables that all its faces share."""
        key = (make, *arguments)
        if key not in self._derived:
            self._derived[key] = make(self, *arguments)
        return self._derived[key]

    def to_torch(self, device: str | torch.device = "cpu") -> FaceModel:
        """The same model with torch tensors, for gradients."""
        import torch

        tensors: dict[str, Any] = {}
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if isinstance(value, Components):
                tensors[name] = value.to_torch(device)
            elif isinstance(value, np.ndarray):
                tensors[name] = torch.as_tensor(value, device=device)
        return replace(self, **tensors)
