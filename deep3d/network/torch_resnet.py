"""ResNets (He et al., 2016) with the names and the order of torchvision's state dicts, as in Deep3DFaceRecon.

torchvision itself takes longer to import than torch.
"""

from __future__ import annotations

from torch import Tensor, nn

from deep3d.network.architecture import STAGE_WIDTHS, TRUNKS


class ResNet(nn.Module):
    """Crops (B, 3, S, S) to features of an eighth, a sixteenth and a thirty-second of the size.

    The kind is a name of `TRUNKS`. Starts from random weights (He et al., 2015).
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        trunk = TRUNKS[kind]
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        block = Bottleneck if trunk.bottleneck else BasicBlock
        widths = [64, *(width * block.expansion for width in STAGE_WIDTHS)]
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(
                block(widths[stage], width, 1 if stage == 0 else 2),
                *(block(widths[stage + 1], width, 1) for _ in range(1, depth)),
            )
            for stage, (depth, width) in enumerate(zip(trunk.depths, STAGE_WIDTHS, strict=True))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and not module.weight.is_meta:  # otherwise torch would load its compiler
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, S / 8, S / 8), (B, 2 C, S / 16, S / 16) and (B, 4 C, S / 32, S / 32)."""
        stem = self.maxpool(self.relu(self.bn1(self.conv1(crops))))
        eighth = self.layer2(self.layer1(stem))
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _downsample(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H / stride, W / stride) of (B, inputs, H, W)."""
        inner = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(inner)) + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, with a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _downsample(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4 * width, H / stride, W / stride) of (B, inputs, H, W)."""
        inner = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu(self.bn3(self.conv3(inner)) + (x if self.downsample is None else self.downsample(x)))


def _downsample(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """The shortcut of a block where sizes or channels change."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
