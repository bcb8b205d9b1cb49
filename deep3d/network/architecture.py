"""Names and shapes of a Deep3DFaceRecon regressor: a ResNet (He et al., 2016) with seven heads, and a head of ours.

For code that handles weights without torch; the order is the state dict's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HEAD_WIDTHS = (80, 64, 80, 3, 27, 2, 1)
"""Identity, expression, albedo, rotation, lighting, translation x and y, translation z."""

DENSE_WIDTH = 128
"""Channels inside the head for dense landmarks."""
OFFSET_PIXELS = 16.0
"""Pixels of the 224 crop per unit of an offset in its votes."""
DENSE_VERTICES = "dense.vertices"
"""Name of the array with the face model's vertices of the dense landmarks."""

BATCH_NORM_EPSILON = 1e-5
STAGE_WIDTHS = (64, 128, 256, 512)


@dataclass(frozen=True)
class Convolution:
    """A convolution without bias and the batch norm after it."""

    name: str  # of the weight
    batch_norm: str  # prefix of the batch norm's entries
    shape: tuple[int, int, int, int]  # output channels, input channels, rows, columns


@dataclass(frozen=True)
class Trunk:
    """One of the ResNets."""

    depths: tuple[int, int, int, int]  # blocks per stage
    bottleneck: bool
    width: int  # of the feature that the heads read

    def convolutions(self) -> Iterator[Convolution]:
        """All convolutions of the trunk."""
        yield Convolution("backbone.conv1.weight", "backbone.bn1", (64, 3, 7, 7))
        channels = 64
        for stage, (depth, width) in enumerate(zip(self.depths, STAGE_WIDTHS, strict=True), start=1):
            for block in range(depth):
                prefix = f"backbone.layer{stage}.{block}"
                output = width * 4 if self.bottleneck else width
                kernels = [(width, 1), (width, 3), (output, 1)] if self.bottleneck else [(width, 3), (width, 3)]
                before = channels
                for number, (after, size) in enumerate(kernels, start=1):
                    shape = (after, before, size, size)
                    yield Convolution(f"{prefix}.conv{number}.weight", f"{prefix}.bn{number}", shape)
                    before = after
                if block == 0 and (stage > 1 or channels != output):
                    shape = (output, channels, 1, 1)
                    yield Convolution(f"{prefix}.downsample.0.weight", f"{prefix}.downsample.1", shape)
                channels = output

    def tensor_shapes(self, dense: int = 0) -> dict[str, tuple[int, ...]]:
        """Every array of a checkpoint with so many dense landmarks: the state dict, and their vertices."""
        shapes: dict[str, tuple[int, ...]] = {}
        for convolution in self.convolutions():
            shapes[convolution.name] = convolution.shape
            for entry in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{convolution.batch_norm}.{entry}"] = convolution.shape[:1]
            shapes[f"{convolution.batch_norm}.num_batches_tracked"] = ()
        for head, width in enumerate(HEAD_WIDTHS):
            shapes[f"final_layers.{head}.weight"] = (width, self.width, 1, 1)
            shapes[f"final_layers.{head}.bias"] = (width,)
        if dense:
            for name, inputs, outputs, kernel in [
                ("fine", self.width // 4, DENSE_WIDTH, 1),
                ("coarse", self.width // 2, DENSE_WIDTH, 1),
                ("mix", DENSE_WIDTH, DENSE_WIDTH, 3),
                ("votes", DENSE_WIDTH, 4 * dense, 1),
            ]:
                shapes[f"dense.{name}.weight"] = (outputs, inputs, kernel, kernel)
                shapes[f"dense.{name}.bias"] = (outputs,)
            shapes[DENSE_VERTICES] = (dense,)
        return shapes


TRUNKS = {
    "resnet18": Trunk(depths=(2, 2, 2, 2), bottleneck=False, width=512),
    "resnet50": Trunk(depths=(3, 4, 6, 3), bottleneck=True, width=2048),
}
