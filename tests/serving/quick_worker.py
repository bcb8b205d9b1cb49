"""A worker process for tests: everything is real but the network, which takes 50 ms, and the face, which is the mean.

The name of a photo says what happens: `noface`, `kill` (the process dies of it, as of a crash in native code). With
QUICK_SCRATCH it takes its time over files that hold the photo.
"""

import json
import os
import signal
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
from PIL import Image

from deep3d import FaceCoefficients
from serving.api.models import FILES
from serving.worker import process

MEAN = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
DETECTION = {"box": [20.0, 15.0, 60.0, 55.0]}


class QuickFinder:
    """Finds a face in every photo but those called `noface`."""

    def with_quality(self, quality):
        return self

    def one_by_one(self, photos, faces="largest", most=None):
        time.sleep(0.05)
        if any(photo.name.startswith("kill") for photo in photos):
            os.kill(os.getpid(), signal.SIGKILL)
        return [[] if photo.name.startswith("noface") else [photo] * (most or 1) for photo in photos]

    def same_person(self, photos):
        raise AssertionError("nobody asks for it")


def write_quickly(face, folder: Path) -> None:
    """What pictures of a face need, and something in the place of each other file."""
    folder.mkdir()
    for name in FILES.values():
        (folder / name).write_bytes(b"quick")
    coefficients = {field.name: getattr(MEAN, field.name)[0].tolist() for field in fields(MEAN)}
    (folder / "face.json").write_text(json.dumps({"coefficients": coefficients, "detection": DETECTION, "photo": {}}))
    Image.new("RGB", (8, 8), "peru").save(folder / "texture.png")
    Image.new("RGB", (28, 8), "peru").save(folder / "overlay.jpg")
    if "QUICK_SCRATCH" in os.environ:  # long enough to be killed while the face lies in a temporary folder
        (folder / "pixels.bin").write_bytes(face.pixels.tobytes())
        time.sleep(0.2)


if __name__ == "__main__":
    process.main(lambda settings: QuickFinder(), write_quickly)
    sys.exit(0)
