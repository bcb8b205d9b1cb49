"""Safetensors files, read once: arrays, metadata, and the hash of exactly those bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from deep3d.errors import OutputNotWritable
from deep3d.files.whole_file import written_whole


@dataclass(frozen=True)
class TensorFile:
    """The content of a file."""

    arrays: dict[str, np.ndarray]
    metadata: dict[str, str]  # empty where the file has none
    sha256: str  # of the file's bytes, hexadecimal


def read_tensors(path: Path) -> TensorFile:
    """Read a whole file.

    Raises: OSError if it cannot be read, ValueError if it is damaged or another kind of file.
    """
    content = path.read_bytes()
    try:
        arrays = load(content)
    except (SafetensorError, KeyError, TypeError) as error:  # KeyError for number types that numpy does not have
        raise ValueError(" ".join(str(error).split())) from error
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])  # after its little-endian length
    metadata = header.get("__metadata__") or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are not strings")
    return TensorFile(arrays, metadata, hashlib.sha256(content).hexdigest())


def write_tensors(path: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write a file, which appears whole under its name or not at all.

    Raises: OutputNotWritable.
    """
    content = save({name: np.asarray(value, order="C") for name, value in arrays.items()}, metadata)
    try:
        with written_whole(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise OutputNotWritable(f"{path}: cannot be written ({error.strerror}); choose another place") from error
