import numpy as np
import pytest
import torch

from deep3d.camera import DEEP3D_CAMERA, FAR, NEAR, Camera, Pose, clip_space, depth, place, project, rotation_matrix
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import ShapeError

RIGHT, UP, TOWARD_CAMERA = np.eye(3)


@pytest.fixture
def vertices() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.8, (2, 50, 3))


def turned(pose: Pose, direction: np.ndarray) -> np.ndarray:
    return rotation_matrix(pose.to_rotation()[None])[0] @ direction


def test_rotation_is_x_then_y_then_z():
    (x, y, z) = angles = np.array([0.3, -0.5, 0.9])
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    np.testing.assert_allclose(
        rotation_matrix(angles[None])[0], np.array(about_z) @ np.array(about_y) @ np.array(about_x), atol=1e-15
    )


def test_rotation_matches_the_reference(face_model_golden):
    rotation = FaceCoefficients.from_vector(face_model_golden["coeffs"]).rotation
    np.testing.assert_allclose(rotation_matrix(rotation).mT, face_model_golden["rotation"], atol=1e-6)


def test_placing_matches_the_reference(face_model_golden):
    coefficients = FaceCoefficients.from_vector(face_model_golden["coeffs"])
    placed = place(face_model_golden["face_shape"], coefficients.rotation, coefficients.translation)
    np.testing.assert_allclose(placed[..., :2], face_model_golden["face_vertex"][..., :2], atol=3e-6)
    np.testing.assert_allclose(depth(placed), face_model_golden["face_vertex"][..., 2], atol=3e-6)


def test_projection_matches_the_reference_with_rows_running_down(face_model_golden):
    x, y, distance = np.moveaxis(face_model_golden["face_vertex"], -1, 0)
    pixels = project(np.stack([x, y, 10 - distance], axis=-1))
    expected = face_model_golden["projection"] * [1, -1] + [0, 223]
    np.testing.assert_allclose(pixels, expected, atol=2e-3)


def test_the_camera_matrix_projects_too(vertices):
    camera = Camera(focal_length_px=800, column=100, row=90, distance=8)
    homogeneous = np.concatenate([vertices, np.ones((2, 50, 1))], axis=-1) @ camera.matrix().T
    np.testing.assert_allclose(homogeneous[..., :2] / homogeneous[..., 2:], project(vertices, camera), atol=1e-10)
    np.testing.assert_allclose(homogeneous[..., 2], depth(vertices, camera), atol=1e-12)


def test_right_is_right_and_up_is_up_in_the_picture():
    (middle, right, up) = project(np.array([[0, 0, 0], RIGHT, UP])[None])[0]
    np.testing.assert_allclose(middle, [112, 111])
    np.testing.assert_allclose(right, [112 + 101.5, 111])
    np.testing.assert_allclose(up, [112, 111 - 101.5])


def test_projection_is_the_same_in_torch_and_has_gradients(vertices):
    angles, shift = np.array([[0.2, -0.4, 0.1], [0.5, 0.3, -0.6]]), np.array([[0.1, 0.2, -0.3], [0.0, -0.1, 0.4]])
    tensors = [torch.tensor(a, requires_grad=True) for a in (vertices[:, :5], angles, shift)]

    def pixels(*arguments):
        return project(place(*arguments))

    np.testing.assert_allclose(pixels(*tensors).detach(), pixels(vertices[:, :5], angles, shift), atol=1e-10)
    assert torch.autograd.gradcheck(pixels, tensors)


def test_flat_points_are_refused():
    with pytest.raises(ShapeError, match=r"\(1, 7, 2\)"):
        project(np.zeros((1, 7, 2)))


def test_pose_is_told_as_people_say_it():
    assert turned(Pose(yaw=30, pitch=0, roll=0), TOWARD_CAMERA) @ RIGHT == pytest.approx(0.5)
    assert turned(Pose(yaw=0, pitch=30, roll=0), TOWARD_CAMERA) @ UP == pytest.approx(0.5)
    assert turned(Pose(yaw=0, pitch=0, roll=30), UP) @ RIGHT == pytest.approx(0.5)


def test_pose_from_rotation_is_the_way_back():
    pose = Pose.from_rotation(Pose(yaw=-40, pitch=15, roll=5).to_rotation())
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((-40, 15, 5), abs=1e-4)


def test_clip_space_spans_the_picture_from_edge_to_edge():
    height, width = 20, 40
    edges = np.array([[[-0.5, -0.5], [width - 0.5, height - 0.5], [19.5, 9.5]]])
    for distance, z in [(NEAR, -1), (FAR, 1)]:
        clip = clip_space(edges, np.full((1, 3), distance), (height, width))
        np.testing.assert_allclose(clip[..., 3], distance)
        np.testing.assert_allclose(clip[0, :, :2] / distance, [[-1, -1], [1, 1], [0, 0]], atol=1e-12)
        np.testing.assert_allclose(clip[..., 2] / distance, z, atol=1e-12)


def test_clip_space_keeps_the_order_of_depths():
    depths = np.linspace(8, 12, 9)[None]
    clip = clip_space(np.zeros((1, 9, 2)), depths, (224, 224))
    assert (np.diff(clip[..., 2] / clip[..., 3]) > 0).all()


def test_the_default_camera_is_that_of_deep3d():
    assert Camera(focal_length_px=1015, column=112, row=223 - 112, distance=10) == DEEP3D_CAMERA
