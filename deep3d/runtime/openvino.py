"""Networks in OpenVINO, the fastest on x86 processors; it needs no torch."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import openvino

from deep3d.runtime.cache import Kept, keep, read_kept
from deep3d.runtime.cores import processor_name, processor_precisions, usable_cores

_LARGE = 1_000_000  # bytes of a network from which caching the compiled one pays off

# The only one, and kept: with the first network of a core, OpenVINO's CPU plugin gives the calling thread a stack for
# signals, and takes it away with the core's last network, whatever thread that is in and whatever core came between.
# The next signal then ended the process by a segmentation fault.
_CORE = openvino.Core()


class OpenVinoRuntime:
    """A `Runtime` for an ONNX file's content; `threads` None uses all usable cores."""

    name = "openvino"

    def __init__(self, model: bytes, threads: int | None, precision: str) -> None:
        self.precision = precision
        self._network = OpenVinoNetwork(model, threads, precision)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Vectors (B, 257 + 3 N) float32 of crops (B, 3, S, S) float32, RGB in [0, 1]; see `Runtime`."""
        return self._network(crops)[0]


class OpenVinoNetwork:
    """A network of `graph.Graph`, loaded; `threads` None uses all usable cores."""

    def __init__(self, model: bytes, threads: int | None, precision: str) -> None:
        self._model, self._kept = _compiled(model, threads, precision)
        self._request = self._model.create_infer_request()

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        """All outputs, in order, for all inputs, in order."""
        outputs = [np.array(output) for output in self._request.infer(values, share_inputs=True).values()]
        self._model.release_memory()  # frees 4 MB for each crop of the largest batch so far
        if self._kept is not None:
            self._kept.forget()  # 60 MB of the regressor, of which the first batch makes what it works with
        return outputs


def _compiled(model: bytes, threads: int | None, precision: str) -> tuple[Any, Kept | None]:
    """The network of an ONNX file's content, ready to run, and the kept file in which its weights are, if any.

    Compiling takes a third of a second for the regressor, reading what came of it a tenth; and weights in a file need
    not be in memory, too.
    """
    options = {
        "INFERENCE_NUM_THREADS": threads or usable_cores(),
        "INFERENCE_PRECISION_HINT": _hint(precision),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # otherwise several processes would choose the same cores
    }
    if len(model) < _LARGE:
        return _CORE.compile_model(_CORE.read_model(model), "CPU", options), None
    name = f"openvino-{_digest(model, options)}"
    found = _imported(name, options)
    if found is not None:
        return found
    network = _CORE.compile_model(_CORE.read_model(model), "CPU", options)
    stream = io.BytesIO()
    with suppress(RuntimeError):  # not every plugin supports it
        network.export_model(stream)
        keep(name, stream.getvalue())
    return _imported(name, options) or (network, None)


def _hint(precision: str) -> str:
    """OpenVINO's name for the arithmetic of what is not in eight bits."""
    return "bf16" if precision != "fp32" and "bf16" in processor_precisions() else "f32"


def _imported(name: str, options: dict[str, Any]) -> tuple[Any, Kept] | None:
    """A network that was compiled before, with the file that holds it; None if there is none to be used."""
    kept = read_kept(name)
    if kept is None:
        return None
    content = openvino.Tensor(np.frombuffer(kept.content, np.uint8), shared_memory=True)
    with suppress(RuntimeError):  # possibly written by another build of this version
        return _CORE.import_model(content, "CPU", options), kept
    return None


def _digest(model: bytes, options: dict[str, Any]) -> str:
    """The cache key of a compiled network: the network, its arithmetic, the compiler and the target.

    Not the number of threads, which is chosen anew whenever the network is read: commands, workers and the live process
    share one file.
    """
    capabilities = _CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    digest = hashlib.blake2b(model, digest_size=16)
    arithmetic = options["INFERENCE_PRECISION_HINT"]
    digest.update(repr([arithmetic, openvino.get_version(), processor_name(), capabilities]).encode())
    return digest.hexdigest()


def write_openvino(model: bytes, path: Path) -> None:
    """Write an ONNX file's content as OpenVINO's .xml and .bin files."""
    openvino.save_model(_CORE.read_model(model), path, compress_to_fp16=False)
