"""Another face detector: anything that gives a box and five points for each face.

    python examples/detector_of_your_own.py photo.jpg results

Here the detector is a stand-in that takes the face for granted: in the middle, half as wide as the photo.
"""

import sys

import numpy as np

from deep3d import Reconstructor, read_photo, write_results
from deep3d.alignment import STANDARD_POINTS
from deep3d.detection.detector import Detection


class MiddleOfThePhoto:
    """Says that each photo shows one face in its middle."""

    def detect(self, photos, faces, effort="search"):
        """One `Detection` a photo: its box, a score, and eyes, nose tip and mouth corners in photo pixels."""
        return [[self._face(*photo.shape[:2])] for photo in photos]

    def _face(self, height, width):
        centre, size = np.array([width, height]) / 2, width / 8
        points = centre + size * STANDARD_POINTS[:, :2] * [1, -1]
        return Detection(np.concatenate([points.min(axis=0), points.max(axis=0)]), 1.0, points)


photo, results = sys.argv[1:]
known = Reconstructor.load()
own = Reconstructor(
    known.face_model,
    MiddleOfThePhoto(),
    known.networks.regressor,
    known.checkpoint,
    refiner=known.networks.refiner,
)
(faces,) = own.reconstruct([read_photo(photo)])
for face in faces:
    write_results(face, results)
sys.stdout.write(f"{len(faces)} faces\n")
