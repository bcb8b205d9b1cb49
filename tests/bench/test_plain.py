"""The reference's way gives what this project's gives, from the same five points."""

import io

import numpy as np
import pytest
from facenet_pytorch import MTCNN
from PIL import Image

from deep3d.alignment import align
from deep3d.camera import place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import NoFaceFound
from deep3d.regression.regressor import network_input
from deep3d.runtime import load_runtime


@pytest.fixture(scope="module")
def pipeline(toy_checkpoint, toy_face_model):
    from deep3d.bench.plain import PlainPipeline

    return PlainPipeline(toy_checkpoint, toy_face_model, toy_checkpoint.info.crop_size)


def test_landmarks_and_vertices_are_ours(pipeline, toy_checkpoint, toy_face_model, content):
    landmarks, vertices = pipeline(content)

    image = Image.open(io.BytesIO(content)).convert("RGB")
    (points,) = MTCNN().detect(image, landmarks=True)[-1]
    crops = align(np.asarray(image), points).image[None]
    vectors = load_runtime(toy_checkpoint, "onnx")(network_input(crops, toy_checkpoint.info.crop_size))
    face = FaceCoefficients.from_vector(vectors)
    expected = toy_face_model.shape(face)
    np.testing.assert_allclose(vertices, expected[0], atol=1e-4)
    placed = place(toy_face_model.landmarks(expected), face.rotation, face.translation)
    np.testing.assert_allclose(landmarks, project(placed)[0], atol=1e-2)


def test_a_photo_without_a_face_is_told(pipeline):
    stream = io.BytesIO()
    Image.new("RGB", (200, 200), "grey").save(stream, "PNG")
    with pytest.raises(NoFaceFound):
        pipeline(stream.getvalue())
