"""3DDFA_V2 with its smallest network as a program, for an environment that runs it, called with its folder.

Its own code in ONNX Runtime, the faster of its two ways: FaceBoxes, mb05_120x120, then 68 landmarks and the vertices.
Its Basel model comes from its authors; the time does not depend on the numbers in it.
"""

import os
import sys
from collections.abc import Callable

import numpy
from answering import answer_photos


def load() -> Callable[[bytes], int]:
    """The number of vertices of the first face in a photo; the code of 3DDFA_V2 names files from its folder."""
    os.chdir(sys.argv[1])
    sys.path.insert(0, sys.argv[1])
    import cv2  # pyright: ignore[reportMissingImports]
    import yaml
    from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX  # pyright: ignore[reportMissingImports]
    from TDDFA_ONNX import TDDFA_ONNX  # pyright: ignore[reportMissingImports]

    detector = FaceBoxes_ONNX()
    with open("configs/mb05_120x120.yml", encoding="utf-8") as file:
        network = TDDFA_ONNX(**yaml.safe_load(file))

    def points_of(content: bytes) -> int:
        pixels = cv2.imdecode(numpy.frombuffer(content, numpy.uint8), cv2.IMREAD_COLOR)
        boxes = detector(pixels)[:1]
        if not boxes:
            return 0
        parameters, regions = network(pixels, boxes)
        network.recon_vers(parameters, regions, dense_flag=False)
        return network.recon_vers(parameters, regions, dense_flag=True)[0].shape[1]

    return points_of


if __name__ == "__main__":
    answer_photos(load)
