import numpy as np
import pytest

from deep3d.network.architecture import TRUNKS
from deep3d.network.torch_regressor import RegressorConfig, RegressorNetwork


@pytest.mark.parametrize("name", TRUNKS)
def test_names_shapes_and_order_are_those_of_the_network(name):
    state = RegressorNetwork(RegressorConfig(trunk=name)).state_dict()
    assert [*TRUNKS[name].tensor_shapes().items()] == [(key, tuple(value.shape)) for key, value in state.items()]


@pytest.mark.parametrize("name", TRUNKS)
def test_convolutions_are_the_four_dimensional_weights_of_the_trunk(name):
    trunk = TRUNKS[name]
    expected = [n for n, s in trunk.tensor_shapes().items() if len(s) == 4 and n.startswith("backbone")]
    assert [convolution.name for convolution in trunk.convolutions()] == expected


def test_layout_is_that_of_the_reference(shared):
    with np.load(shared / "parity" / "network.npz") as golden:
        shapes = TRUNKS["resnet50"].tensor_shapes()
        assert [*shapes] == golden["key_order"].tolist()
        for key, shape, rank in zip(golden["key"].tolist(), golden["key_shape"], golden["key_ndim"], strict=True):
            assert shapes[key] == tuple(shape[:rank])
