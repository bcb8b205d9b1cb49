import json
import struct

import numpy as np
import pytest

from deep3d.material import PRESETS, lights_file
from deep3d.material.environments import gathered
from deep3d.material.light import even_sphere


def test_each_light_is_there_as_bright_as_the_others():
    content = lights_file()
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    assert header["names"] == list(PRESETS)
    pixels = np.frombuffer(content, "<f2", offset=4 + length)
    panoramas = pixels.reshape(len(PRESETS), header["height"], header["width"], 4)[:, ::-1, :, :3].astype(float)
    sphere = even_sphere()
    for each in panoramas:
        paper = gathered(each, sphere).mean(axis=1) @ np.maximum(sphere[:, 2], 0) * 4 / len(sphere)
        assert paper == pytest.approx(0.9, rel=0.01)


def test_the_first_row_is_below():
    content = lights_file()
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    pixels = np.frombuffer(content, "<f2", offset=4 + length).reshape(-1, header["height"], header["width"], 4)
    overcast = pixels[header["names"].index("overcast")]
    assert overcast[-1].mean() > overcast[0].mean()
