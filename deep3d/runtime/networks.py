"""Small networks of `graph.Graph`, such as the detector's, ready to run without torch."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

Framework = Literal["onnx", "openvino"]


class Network(Protocol):
    """A network with one input."""

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """All outputs in their order."""
        ...


def load_network(model: bytes, framework: Framework, threads: int | None = None) -> Network:
    """Make an ONNX file's content ready; None for threads takes all usable cores."""
    if framework == "openvino":  # each is imported only when chosen
        from deep3d.runtime.openvino import OpenVinoNetwork

        return OpenVinoNetwork(model, threads)
    from deep3d.runtime.onnx import OnnxNetwork

    return OnnxNetwork(model, threads)
