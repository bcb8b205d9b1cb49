"""The network in ONNX Runtime, which runs everywhere and needs no torch."""

from __future__ import annotations

from typing import cast

import numpy as np
import onnxruntime

from deep3d.runtime.cores import usable_cores


class OnnxRuntime:
    """A `Runtime` for an ONNX file's content; `threads` None uses all usable cores."""

    name = "onnx"

    def __init__(self, model: bytes, threads: int | None, precision: str) -> None:
        self.precision = precision
        self._network = OnnxNetwork(model, threads, unfold=precision != "int8")

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; see `Runtime`."""
        return self._network(crops)[0]


class OnnxNetwork:
    """A network of `graph.Graph`, loaded; `threads` None uses all usable cores.

    Eight-bit weights are expanded once, unless the whole network computes in eight bits.
    """

    def __init__(self, model: bytes, threads: int | None = None, unfold: bool = True) -> None:
        options = onnxruntime.SessionOptions()
        options.enable_cpu_mem_arena = False  # as fast, and returns memory
        options.add_session_config_entry("session.disable_quant_qdq", "1" if unfold else "0")
        options.intra_op_num_threads = threads or usable_cores()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads do not spin
        options.log_severity_level = 3  # only errors, which are also raised
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._inputs = [each.name for each in self._session.get_inputs()]

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        """All outputs, in order, for all inputs, in order."""
        return cast("list[np.ndarray]", self._session.run(None, dict(zip(self._inputs, values, strict=True))))
