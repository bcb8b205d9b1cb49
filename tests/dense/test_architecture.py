"""Kinds and dimensions of dense networks, as their files state them."""

from dataclasses import replace

import pytest

from deep3d.dense import FULL, SLIM, Dpt
from deep3d.dense.architecture import from_metadata, to_metadata
from deep3d.dense.layers import array_shapes

DPT = Dpt(224, "vit_base_patch16_384", 128)


@pytest.mark.parametrize("architecture", [SLIM, FULL, DPT], ids=["slim", "full", "dpt"])
def test_an_architecture_comes_back_from_its_line(architecture):
    line = to_metadata(architecture)
    assert "\n" not in line and from_metadata(line) == architecture


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        '{"kind": "gan"}',
        '{"kind": "unet"}',
        to_metadata(SLIM).replace("112", "113"),
        to_metadata(SLIM).replace("160", "1e9"),
        to_metadata(SLIM).replace('"cell": 4', '"cell": "4"'),
        to_metadata(FULL).replace("512", '"512"'),
        to_metadata(DPT).replace("128", "-1"),
        to_metadata(DPT).replace("224", "112"),
    ],
)
def test_what_describes_no_network_is_refused(line):
    with pytest.raises(ValueError, match=r"unknown architecture|there is no|Expecting value"):
        from_metadata(line)


def test_grids_stand_on_those_of_the_trunk_that_are_as_fine():
    assert SLIM.stages == [0, 1, 2]
    assert FULL.stages == [None, None, 0, 1, 2]
    small = replace(FULL, map_size=112, grids=FULL.grids[:4], blocks=FULL.blocks[:4])
    assert small.stages == [None, 0, 1, 2] and small.cells(0) == 56
    with pytest.raises(ValueError, match="there is no U-Net"):
        replace(SLIM, grids=(48,))


def test_a_full_network_is_larger_than_a_slim_one():
    slim, full = (sum(shape[0] for shape in array_shapes(each).values()) for each in (SLIM, FULL))
    assert full > 2 * slim
