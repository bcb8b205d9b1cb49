"""The pipeline as Deep3DFaceRecon does it, in plain eager float32 torch: the baseline of the benchmark's ratios.

The detector is facenet-pytorch's MTCNN as shipped; the photo is resized as a whole and cropped; the network has seven
heads, separate batch norms and one pass; the model is decoded by matrix products. Only what leads to vertices and
landmarks is done: the reference computes normals, colours and light as well.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from deep3d.alignment import crop_parameters
from deep3d.camera import CROP_SIZE, place, project
from deep3d.coefficients import FaceCoefficients
from deep3d.errors import NoFaceFound
from deep3d.face_model import FaceModel
from deep3d.network.checkpoints import Checkpoint
from deep3d.network.torch_regressor import build_network
from deep3d.regression.regressor import network_input
from deep3d.runtime.cores import usable_cores


class PlainPipeline:
    """Bytes of a photo in, landmarks (68, 2) in crop pixels and vertices (V, 3) out."""

    def __init__(self, checkpoint: Checkpoint, face_model: FaceModel, input_size: int) -> None:
        """`input_size` is the side of the network's input in pixels, a whole fraction of 224: the reference has 224.

        Sets the number of torch threads for the whole process.
        """
        torch.set_num_threads(usable_cores())
        self._detector = MTCNN()
        self._network = build_network(checkpoint)
        self._network.dense = None  # the reference has none
        self._face_model = face_model.to_torch()
        self._input_size = input_size

    def __call__(self, content: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Raises: NoFaceFound."""
        image = Image.open(io.BytesIO(content)).convert("RGB")
        points = self._detector.detect(image, landmarks=True)[-1]
        if points is None:
            raise NoFaceFound.in_photo("photo of the plain pipeline")
        crops = np.asarray(_aligned(image, points[0]))[None]
        with torch.no_grad():
            vector = self._network(torch.from_numpy(network_input(crops, self._input_size)))
            face = FaceCoefficients.from_vector(vector)
            vertices = self._face_model.shape(face)
            landmarks = project(place(self._face_model.landmarks(vertices), face.rotation, face.translation))
        return landmarks[0].numpy(), vertices[0].numpy()


def _aligned(image: Image.Image, points: np.ndarray) -> Image.Image:
    """The crop of `alignment.align`, by resizing all of the photo."""
    crop = crop_parameters(points, *image.size)
    resized = image.resize((crop.resized_width, crop.resized_height), Image.Resampling.BICUBIC)
    return resized.crop((crop.left, crop.up, crop.left + CROP_SIZE, crop.up + CROP_SIZE))
