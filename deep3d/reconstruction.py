"""The result for one face of one photo: frozen results of all steps, and values computed from them on first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from deep3d.camera import Camera, Pose, place, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.face_model import FaceModel
from deep3d.hair import Hair, HairMask, Sight, colours_of, hair_model, make_hair
from deep3d.hair.whole import LITTLE
from deep3d.landmarks import INNER_LIPS
from deep3d.mesh import Mesh
from deep3d.texture import Texture, extract_texture
from deep3d.uncertainty import region_deviation, vertex_deviation
from deep3d.whole_head import USUAL, PartColours, WholeHead

if TYPE_CHECKING:
    from deep3d.alignment import AlignedCrop
    from deep3d.confidence import Confidence
    from deep3d.detection.detector import Detection
    from deep3d.photo import Photo


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """One face of one photo. Points of the picture are pixels of `photo`, lengths decimetres."""

    photo: Photo
    detection: Detection
    crop: AlignedCrop  # the one that the coefficients belong to
    coefficients: FaceCoefficients  # B = 1, numpy
    face_model: FaceModel
    camera: Camera  # from model space to the crop
    checkpoint_name: str | None  # None for a face fitted to given landmarks
    checkpoint_sha256: str | None
    timings_ms: dict[str, float]
    """Milliseconds by step, as this photo's or face's share of its batch, without lazily computed results."""
    confidence: Confidence | None = None  # None where the checkpoint has no dense landmarks
    displacement: np.ndarray | None = None  # (V, 3) decimetres beyond the linear model, in the neutral pose
    covariance: np.ndarray | None = None
    """(144, 144) of identity and expression, as the fit knows them; None where nothing was fitted."""
    merged_texture: np.ndarray | None = None  # (1024, 1024, 3) uint8 of the whole head, for a face from several photos
    hair_mask: HairMask | None = None  # None where hair was not looked for
    other_sights: tuple[Sight, ...] = ()  # in other photos of the person, whose hair they show too, the surest first
    left_out: tuple[str, ...] = ()  # sentences: photos of the person that are left out, and why

    @cached_property
    def vertices(self) -> np.ndarray:
        """(V, 3) model space, expression included, rotation and translation not."""
        linear = self.face_model.shape(self.coefficients)[0]
        return linear if self.displacement is None else linear + self.displacement

    @cached_property
    def neutral_vertices(self) -> np.ndarray:
        """(V, 3) the same person without expression."""
        neutral = self.face_model.neutral_shape(self.coefficients.identity)[0]
        return neutral if self.displacement is None else neutral + self.displacement

    @cached_property
    def placed_vertices(self) -> np.ndarray:
        """(V, 3) model space, rotated and moved to the place in front of the camera."""
        return place(self.vertices[None], self.coefficients.rotation, self.coefficients.translation)[0]

    @cached_property
    def normals(self) -> np.ndarray:
        """(V, 3) unit vertex normals of `vertices`."""
        return self.face_model.normals(self.vertices[None])[0]

    @cached_property
    def placed_normals(self) -> np.ndarray:
        """(V, 3) unit vertex normals of `placed_vertices`."""
        return self.normals @ rotation_matrix(self.coefficients.rotation)[0].T

    @cached_property
    def albedo(self) -> np.ndarray:
        """(V, 3) the model's reflectance at `vertices`, RGB around [0, 1], not clamped."""
        return self.face_model.albedo(self.coefficients.albedo)[0]

    @property
    def mesh(self) -> Mesh:
        """`vertices` as a textured mesh."""
        return self.face_model.mesh(self.vertices)

    @cached_property
    def whole_mesh(self) -> Mesh:
        """`mesh` with neck, shoulders, a finer mouth and lashes appended; the same for models that have none."""
        return WholeHead.of(self.face_model).mesh(self.vertices)

    @cached_property
    def photo_matrix(self) -> np.ndarray:
        """(3, 4) homogeneous matrix from `vertices` to photo pixels; its third row gives the depth in decimetres."""
        motion = np.eye(4)
        motion[:3, :3] = rotation_matrix(self.coefficients.rotation.astype(np.float64))[0]
        motion[:3, 3] = self.coefficients.translation[0]
        return self.crop.photo_camera(self.camera) @ motion

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) column and row in photo pixels, and depth in decimetres, of (N, 3) points among `vertices`."""
        projected = points @ self.photo_matrix[:, :3].T + self.photo_matrix[:, 3]
        return np.column_stack([projected[:, :2] / projected[:, 2:], projected[:, 2]])

    @cached_property
    def landmarks68(self) -> np.ndarray:
        """(68, 2) fixed points of the mesh in photo pixels, in the placement of the 300-W markup (as AFLW2000-3D)."""
        return self.to_photo(self.face_model.markup.points(self.vertices[None])[0])[:, :2]

    @cached_property
    def landmarks68_contour(self) -> np.ndarray:
        """(68, 2) the same with the jaw on the visible outline (as 300-W and dlib)."""
        markup = self.face_model.markup
        rows = self.to_photo(markup.jaw_rows(self.vertices[None])[0])[:, :2]
        chosen = markup.outline(rows[None], self.coefficients.rotation[:, 2])[0]
        return self.to_photo(markup.on_outline(chosen)(self.vertices[None])[0])[:, :2]

    @cached_property
    def landmarks68_mediapipe(self) -> np.ndarray:
        """(68, 2) the mesh's points in photo pixels in MediaPipe's placement, which the networks learned."""
        return self.to_photo(self.face_model.landmarks(self.vertices[None])[0])[:, :2]

    @cached_property
    def texture(self) -> np.ndarray:
        """(1024, 1024, 3) uint8 sRGB in the UV atlas, from the photo or merged from several; row 0 is at v = 1."""
        if self.merged_texture is not None:
            return self.merged_texture
        return WholeHead.of(self.face_model).painted(self.unwrapped.image, self.part_colours)

    @cached_property
    def part_colours(self) -> PartColours:
        """Of teeth, and of a shirt where hair was looked for, as the photo shows them, else the usual ones."""
        head = WholeHead.of(self.face_model)
        if len(head.parts.vertices) == 0:
            return USUAL
        level = head.skin_level(self.unwrapped.image)
        parts = USUAL.with_teeth(self.photo.pixels, self.landmarks68_mediapipe[INNER_LIPS], level)
        if self.hair_mask is None:
            return parts
        mask = self.hair_mask
        colours = colours_of(self.photo.pixels, mask)
        return parts.with_shirt(colours, mask.clothes * mask.inside, mask.skin, mask.density, level)

    @cached_property
    def unwrapped(self) -> Texture:
        """The photo unwrapped into the UV atlas, and the weight of its colours."""
        seen = self.to_photo(self.vertices)
        masks = None if self.hair_mask is None else self.hair_mask.at(seen[:, :2])
        if masks is not None and self.bald:
            masks[:, 0] = 0
        return extract_texture(
            self.photo.pixels,
            self.placed_vertices,
            seen[:, :2],
            seen[:, 2],
            self.face_model,
            np.clip(self.albedo, 0, 1),
            masks=masks,
        )

    @property
    def bald(self) -> bool:
        """Whether the photo shows a head without hair, if that was looked for and the hair model knows such heads."""
        mask = self.hair_mask
        if mask is None or mask.hair.sum() > LITTLE * mask.skin.sum():
            return False
        return self.hair is None and hair_model(self.face_model) is not None

    @property
    def sight(self) -> Sight | None:
        """The head as the photo shows it; None where hair was not looked for."""
        if self.hair_mask is None:
            return None
        return Sight(self.photo.pixels, self.hair_mask, self.vertices, self.photo_matrix)

    @cached_property
    def hair(self) -> Hair | None:
        """The hair as a mesh of its own, over `vertices`; None for bald heads, and where hair was not looked for."""
        return None if self.sight is None else make_hair([self.sight, *self.other_sights], self.face_model)

    @cached_property
    def vertex_deviation(self) -> np.ndarray | None:
        """(V,) millimetres, how far each vertex is expected to be from its true place; see `deep3d.uncertainty`."""
        return None if self.covariance is None else vertex_deviation(self.face_model, self.covariance)

    @cached_property
    def region_deviation(self) -> dict[str, float] | None:
        """The same for regions of the head, by name."""
        return None if self.covariance is None else region_deviation(self.face_model, self.covariance)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about this result in sentences, the most serious first."""
        return (*self.left_out, *self.photo.warnings, *(self.confidence.warnings if self.confidence else ()))

    @property
    def pose(self) -> Pose:
        """The head pose in degrees."""
        return Pose.from_rotation(self.coefficients.rotation[0])
