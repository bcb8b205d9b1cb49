import numpy as np
import pytest

from deep3d.errors import EnvironmentInvalid
from deep3d.material import environment
from deep3d.material.directions import even_directions
from deep3d.material.environments import gathered
from deep3d.material.hdr import hdr, read_hdr


def test_a_picture_comes_back_within_a_hundredth(tmp_path):
    picture = np.random.default_rng(0).gamma(0.3, 5, (16, 32, 3)).astype(np.float32)
    path = tmp_path / "light.hdr"
    path.write_bytes(hdr(picture))
    assert np.abs(read_hdr(path) - picture).max(axis=2).max() <= (picture.max(axis=2) / 100).max()


def test_run_lengths_are_read(tmp_path):
    row = (
        bytes([2, 2, 0, 8]) + bytes([136, 128]) + bytes([136, 64]) + bytes([4, 1, 2, 3, 4, 132, 9]) + bytes([136, 129])
    )
    path = tmp_path / "light.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 8\n" + row)
    picture = read_hdr(path)
    assert np.allclose(picture[0, :, 0], 1.0)
    assert np.allclose(picture[0, :, 1], 0.5)
    assert np.allclose(picture[0, :, 2] * 128, [1, 2, 3, 4, 9, 9, 9, 9])


@pytest.mark.parametrize("content", [b"", b"PNG", b"#?RADIANCE\n\n-Y 4 +X 4\nabc", b"#?RADIANCE\n\n-Y 99999999 +X 4\n"])
def test_other_files_are_told_in_one_line(tmp_path, content):
    path = tmp_path / "light.hdr"
    path.write_bytes(content)
    with pytest.raises(EnvironmentInvalid, match=r"light\.hdr"):
        environment(path)


def test_unknown_presets_name_those_there_are():
    with pytest.raises(EnvironmentInvalid, match="choose overcast, studio"):
        environment("moonlight")


def test_no_light_is_lost_between_a_panorama_and_directions():
    directions = even_directions(200)
    panorama = np.random.default_rng(0).random((64, 128, 3)).astype(np.float32)
    from deep3d.material.environments import sphere

    area = np.cos(np.arcsin(sphere(64, 128)[..., 1]))[..., None]
    mean = (panorama * area).sum(axis=(0, 1)) / area.sum()
    assert np.allclose(gathered(panorama, directions).mean(axis=0), mean, rtol=0.02)
