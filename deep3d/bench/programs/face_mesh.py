"""MediaPipe's Face Mesh as a program, for an environment that has MediaPipe and nothing of deep3d."""

import io
from collections.abc import Callable

import numpy
from answering import answer_photos
from PIL import Image


def load() -> Callable[[bytes], int]:
    """The number of landmarks of the face in a photo."""
    import mediapipe  # pyright: ignore[reportMissingImports]

    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1)

    def points_of(content: bytes) -> int:
        faces = mesh.process(numpy.asarray(Image.open(io.BytesIO(content)).convert("RGB"))).multi_face_landmarks
        return len(faces[0].landmark) if faces else 0

    return points_of


if __name__ == "__main__":
    answer_photos(load)
