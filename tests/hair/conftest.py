"""A made-up head with hair of the hair model, as a photo shows it."""

from dataclasses import dataclass

# pyright: reportOptionalMemberAccess=false, reportArgumentType=false
import numpy as np
import pytest

from deep3d.camera import Camera, Pose, clip_space, depth, place, project, rotation_matrix
from deep3d.face_model import read_face_model
from deep3d.hair import Sight
from deep3d.hair.fit import HairFields
from deep3d.hair.grid import POINTS
from deep3d.hair.head import Head
from deep3d.hair.mask import DENSITY, REACH, HairMask
from deep3d.hair.model import hair_model
from deep3d.hair.shell import shell_mesh
from deep3d.mesh import Mesh
from deep3d.rendering.cpu import CpuRasterizer

SIZE = 420  # pixels a side of the photo
CAMERA = Camera(focal_length_px=1015.0, column=209.5, row=200.0)
SKIN, HAIR, WALL = (205, 160, 140), (90, 60, 40), (20, 120, 220)
ROWS, COLUMNS = int((REACH[1] + REACH[2]) * DENSITY), int(2 * REACH[0] * DENSITY)  # of masks
NOTHING = np.zeros((ROWS, COLUMNS), np.float32)


@dataclass
class MadeUp:
    """One head and its photo."""

    model: object
    hair: object
    vertices: np.ndarray
    matrix: np.ndarray  # (3, 4) model space to photo pixels
    fields: HairFields
    photo: np.ndarray
    mask: HairMask
    worn: Mesh  # the shell in the photo
    pose: Pose
    shown: np.ndarray  # (SIZE, SIZE) bool, where the photo shows it

    def sight(self):
        return Sight(self.photo, self.mask, self.vertices, self.matrix)

    def head(self):
        return Head.of(self.vertices, self.matrix, self.model, self.mask, self.hair)


def silhouette(vertices, triangles, pose, camera=CAMERA, size=SIZE):
    """(size, size) depth of a mesh turned to a pose, infinite beside it."""
    turned = place(vertices[None].astype(np.float32), pose.to_rotation()[None], np.zeros((1, 3), np.float32))
    clip = clip_space(project(turned, camera), depth(turned, camera), (size, size)).astype(np.float32)
    fragments = CpuRasterizer().rasterize(clip, triangles, (size, size))
    return np.where(fragments.triangle[0] >= 0, fragments.depth[0], np.inf)


def make(style, yaw=0.0):
    """A photo of the mean head that wears a style (K,) of the hair model."""
    model = read_face_model()
    hair = hair_model(model)
    vertices = model.mean_shape
    table = (hair.mean + np.asarray(style) @ hair.basis[: len(style)]).reshape(2, POINTS).astype(np.float32)
    fields = HairFields(np.clip(table[0], 0, 1), table[1], np.ones(POINTS, np.float32))
    pose = Pose(yaw, 0, 0)
    motion = np.eye(4)
    motion[:3, :3] = rotation_matrix(pose.to_rotation()[None].astype(np.float64))[0]
    matrix = CAMERA.matrix() @ motion
    step = CAMERA.focal_length_px / CAMERA.distance / DENSITY
    origin = np.array([CAMERA.column, CAMERA.row]) - np.array(REACH[:2]) * DENSITY * step
    empty = HairMask(NOTHING, NOTHING, NOTHING == 0, NOTHING, NOTHING, NOTHING, NOTHING, origin, step)
    mesh = shell_mesh(fields, Head.of(vertices, matrix, model, empty, hair), hair.ears)
    face, over = silhouette(vertices, model.triangles, pose), silhouette(mesh.vertices, mesh.triangles, pose)
    shown = over < face
    photo = np.where(shown[..., None], HAIR, np.where(np.isfinite(face)[..., None], SKIN, WALL)).astype(np.uint8)
    rng = np.random.default_rng(0)
    photo = np.clip(photo + rng.normal(0, 8, (SIZE, SIZE, 1)), 0, 255).astype(np.uint8)
    rows, columns = np.indices(NOTHING.shape)
    x, y = (np.rint(index * step + start).astype(int) for index, start in ((columns, origin[0]), (rows, origin[1])))
    inside = (x >= 0) & (y >= 0) & (x < SIZE) & (y < SIZE)
    x, y = np.clip(x, 0, SIZE - 1), np.clip(y, 0, SIZE - 1)
    seen = shown[y, x] & inside
    skin = np.isfinite(face)[y, x] & ~seen & inside
    mask = HairMask(
        seen.astype(np.float32), skin.astype(np.float32), inside, NOTHING, NOTHING, NOTHING, NOTHING, origin, step
    )
    return MadeUp(model, hair, vertices, matrix, fields, photo, mask, mesh, pose, shown)


@pytest.fixture(scope="session")
def make_head():
    """`make`."""
    return make


@pytest.fixture(scope="session")
def short():
    return make(np.zeros(1))


@pytest.fixture(scope="session")
def long_haired():
    return make(np.array([6.0]))


@pytest.fixture(scope="session")
def turned():
    return make(np.array([0, 2.0]), 45.0)


@pytest.fixture(scope="session")
def varied():
    rng = np.random.default_rng(3)
    return [make(rng.normal(size=12) * 0.7, yaw) for yaw in (0.0, 30.0)]


@pytest.fixture(scope="session")
def cover():
    """The depth of a mesh from a side, as `silhouette` gives it."""
    return silhouette
