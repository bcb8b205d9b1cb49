"""MediaPipe's Face Mesh as a program of its own, for an environment that has MediaPipe and nothing of deep3d.

It runs there by its path. Photos come on standard input, each after its length in four bytes, the lowest first.
For each the number of points that were found goes to standard output, in four bytes too. It ends with its
input.
"""

import io
import sys

import numpy
from PIL import Image


def main() -> None:
    """Answer until the input ends; first comes a zero, once the networks are loaded."""
    import mediapipe  # pyright: ignore[reportMissingImports]

    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1)
    _answer(0)
    while length := sys.stdin.buffer.read(4):
        content = sys.stdin.buffer.read(int.from_bytes(length, "little"))
        faces = mesh.process(numpy.asarray(Image.open(io.BytesIO(content)).convert("RGB"))).multi_face_landmarks
        _answer(len(faces[0].landmark) if faces else 0)


def _answer(number: int) -> None:
    sys.stdout.buffer.write(number.to_bytes(4, "little"))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
