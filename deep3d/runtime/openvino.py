"""The network in OpenVINO, the fastest on x86 processors; it needs no torch."""

from __future__ import annotations

import numpy as np
import openvino

from deep3d.checkpoints import Checkpoint
from deep3d.runtime.cores import usable_cores
from deep3d.runtime.regressor_graph import regressor_graph

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoRuntime:
    """A `Runtime`; None for threads takes all usable cores."""

    name = "openvino"

    def __init__(self, checkpoint: Checkpoint, threads: int | None, precision: str) -> None:
        self.precision = precision
        core = openvino.Core()
        compiled = core.compile_model(
            core.read_model(regressor_graph(checkpoint)),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads or usable_cores(),
                "INFERENCE_PRECISION_HINT": _HINTS[precision],
                "NUM_STREAMS": 1,
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; see `Runtime`."""
        return np.array(self._request.infer([crops], share_inputs=True)["vectors"])
