"""A confined process that draws: `python -m serving.pictures.drawer`.

A call has the angles, size, colour and look of a picture, and the files of a face; the answer is a JPG. Or it asks for
a file of the face model, such as what expressions move: the web process does without the model and all that computes.
Pages, submissions and faces come first: this process is the last to get a processor.
"""

from __future__ import annotations

import os
from contextlib import suppress

from deep3d import basis_file, default_face_model, expression_file, lights_file
from serving.confined import inside
from serving.confined.messages import Values
from serving.pictures.drawing import draw
from serving.pictures.views import FaceFiles, Look

MODEL_FILES = {"expressions": expression_file, "basis": basis_file, "lights": lambda _model: lights_file()}
NICENESS = 10
SECONDS, SECONDS_A_MEGAPIXEL = 5.0, 2.0
MB, MB_A_MEGAPIXEL = 300.0, 200.0
LIT = ("clay", "skin", "relit")  # looks in a light of their own, which first learn what of it reaches each vertex
LIT_SECONDS, LIT_MB = 12.0, 500.0


def answer(call: Values, content: bytes) -> tuple[Values, bytes]:
    """What a call gives."""
    if "file" in call:
        return {}, MODEL_FILES[call["file"]](default_face_model())
    megapixels = call["size"] ** 2 / 1e6
    look = Look(call["look"], call["light"])
    seconds, mb = (LIT_SECONDS, LIT_MB) if look.name in LIT else (SECONDS, MB)
    inside.limit(seconds + SECONDS_A_MEGAPIXEL * megapixels, mb + MB_A_MEGAPIXEL * megapixels)
    yaw, pitch = call["view"]
    red, green, blue = call["color"]
    return {}, draw(FaceFiles.from_bytes(content), (yaw, pitch), call["size"], (red, green, blue), look)


if __name__ == "__main__":
    with suppress(AttributeError, OSError):  # which only Unix knows
        os.nice(NICENESS)
    inside.answer_calls(answer)
