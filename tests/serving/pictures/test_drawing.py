"""Pictures of the server are those of the library."""

import io

import numpy as np
import pytest
from PIL import Image

from deep3d import Pose, WholeHead, default_face_model, draw_view
from serving.pictures.drawing import draw
from serving.pictures.views import files_of
from serving.store.storage import Storage
from tests.serving.conftest import write_mean_face

SIZE = 256


def pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(float)


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (-40.0, 10.0)])
def test_a_snapshot_is_the_picture_of_the_library(tmp_path, yaw, pitch):
    storage = Storage(f"file://{tmp_path}/files")
    write_mean_face(storage, "face")
    model = default_face_model()
    with Image.open(io.BytesIO(storage.read("face/texture.png"))) as texture:
        mesh = WholeHead.of(model).mesh(model.mean_shape)
        expected = draw_view(mesh, np.asarray(texture), Pose(yaw, pitch, 0), SIZE, (0, 0, 0))
    difference = abs(pixels(draw(files_of(storage, "face"), (yaw, pitch), SIZE, (0, 0, 0))) - expected)
    assert difference.mean() < 1, "JPEG alone changes less"
    assert expected.max() > 100
