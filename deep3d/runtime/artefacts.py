"""A checkpoint's network as a file that other programs can run: ONNX, OpenVINO, TorchScript, torch.export.

The ONNX file can be loaded again, to start without building the graph; it contains a hash of itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import ModelProto, helper, load_model_from_string

from deep3d.errors import RuntimeUnavailable
from deep3d.files.whole_file import written_whole
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.calibration import Calibration
from deep3d.runtime.regressor_graph import regressor_graph

SUFFIXES = {"onnx": ".onnx", "openvino": ".xml", "torchscript": ".pt", "eager": ".pt2"}
"""The suffix of each runtime's file; OpenVINO puts a .bin file beside its .xml file."""
PRECISIONS = {
    "onnx": ("fp32", "int8"),
    "openvino": ("fp32", "int8"),
    "torchscript": ("fp32", "bf16"),
    "eager": ("fp32", "bf16"),
}
"""The precisions of each file; for OpenVINO, bf16 is chosen at run time."""
_CHECKPOINT, _PRECISION, _HASH = "checkpoint_sha256", "precision", "graph_sha256"


def write_artefact(checkpoint: Checkpoint, runtime: str, precision: str, path: Path) -> None:
    """Write the network for one of the runtimes of `SUFFIXES`; the file appears whole or not at all.

    Raises: RuntimeUnavailable if int8 has no calibration.
    """
    with written_whole(path) as partial:
        match runtime:
            case "onnx":
                partial.write_bytes(_sealed(network_graph(checkpoint, precision), checkpoint, precision))
            case "openvino":
                from deep3d.runtime.openvino import write_openvino

                with written_whole(path.with_suffix(".bin")):  # beside the other one, of the same name
                    write_openvino(network_graph(checkpoint, precision), partial)
            case "torchscript":
                from deep3d.runtime.torchscript import write_torchscript

                write_torchscript(checkpoint, precision, partial)
            case _:
                from deep3d.runtime.eager import write_exported_program

                write_exported_program(checkpoint, precision, partial)


def network_graph(checkpoint: Checkpoint, precision: str) -> bytes:
    """The ONNX file's content; bf16 has the same as fp32, since the runtime does the rounding.

    Raises: RuntimeUnavailable if int8 has no calibration.
    """
    return regressor_graph(checkpoint, Calibration.of(checkpoint).read() if precision == "int8" else None)


def read_artefact(checkpoint: Checkpoint, path: Path) -> tuple[bytes, str]:
    """Content and precision of an ONNX file that `write_artefact` wrote for this checkpoint.

    Raises: RuntimeUnavailable naming the file, if it is something else, belongs to another checkpoint or was changed.
    """
    again = "write it again with deep3d export"
    try:
        content = path.read_bytes()
        model = load_model_from_string(content)
    except OSError as error:
        raise RuntimeUnavailable(f"{path}: cannot be read ({error.strerror}); {again}") from error
    except DecodeError as error:
        raise RuntimeUnavailable(f"{path}: damaged, or not an ONNX file; {again}") from error
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if not {_CHECKPOINT, _PRECISION, _HASH} <= set(metadata):
        raise RuntimeUnavailable(f"{path}: not a network that deep3d wrote; {again}")
    if metadata[_HASH] != _graph_sha256(model):
        raise RuntimeUnavailable(f"{path}: has changed since deep3d wrote it; {again}")
    if metadata[_CHECKPOINT] != checkpoint.sha256:
        raise RuntimeUnavailable(f"{path}: was written for another checkpoint than {checkpoint.path}; {again}")
    return content, metadata[_PRECISION]


def _sealed(content: bytes, checkpoint: Checkpoint, precision: str) -> bytes:
    model = load_model_from_string(content)
    helper.set_model_props(model, {_CHECKPOINT: checkpoint.sha256, _PRECISION: precision, _HASH: _graph_sha256(model)})
    return model.SerializeToString()


def _graph_sha256(model: ModelProto) -> str:
    return hashlib.sha256(model.graph.SerializeToString(deterministic=True)).hexdigest()
