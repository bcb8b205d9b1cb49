"""Our ResNets against torchvision's."""

import pytest
import torch
from torchvision import models

from deep3d.network.architecture import TRUNKS
from deep3d.network.torch_resnet import ResNet


@pytest.mark.parametrize("kind", TRUNKS)
def test_it_is_torchvisions_network(kind):
    theirs = getattr(models, kind)(weights=None)
    theirs.fc = torch.nn.Identity()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    ours = ResNet(kind)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    crops = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        eighth, sixteenth, last = ours(crops)
        torch.testing.assert_close(last.mean(dim=(2, 3)), theirs(crops))
    assert [tuple(part.shape[2:]) for part in (eighth, sixteenth, last)] == [(8, 8), (4, 4), (2, 2)]


def test_random_weights_are_as_large_as_torchvisions():
    ours, theirs = ResNet("resnet50").state_dict(), models.resnet50(weights=None).state_dict()
    for name, value in ours.items():
        if value.ndim == 4:
            torch.testing.assert_close(value.std(), theirs[name].std(), rtol=0.1, atol=0)
