"""Reading scans: OBJ and PLY through trimesh, VRML, and points picked on them in MeshLab."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from deep3d.errors import DatasetError


@dataclass(frozen=True)
class Scan:
    """A triangle mesh in the unit of its file."""

    vertices: np.ndarray  # (V, 3)
    triangles: np.ndarray  # (T, 3) vertex numbers


def read_scan(path: Path) -> Scan:
    """Read an .obj, .ply or .wrl file; vertices keep their order, textures are left out.

    Raises: DatasetError if the file is missing, damaged, of another kind, or has no vertices.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: scan missing; copy the data set again")
    reader = {".obj": _read_with_trimesh, ".ply": _read_with_trimesh, ".wrl": _read_vrml}.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path}: scans are read from .obj, .ply and .wrl files, not {path.suffix!r}; convert it")
    scan = reader(path)
    if not len(scan.vertices) or not np.isfinite(scan.vertices).all():
        raise DatasetError(f"{path}: no vertices, or some that are not finite; copy the data set again")
    return scan


def read_picked_points(path: Path) -> np.ndarray:
    """Points (N, 3) of a MeshLab .pp file, in their order.

    Raises: DatasetError.
    """
    try:
        points = ElementTree.parse(path).getroot().iter("point")
        return np.array([[float(point.attrib[axis]) for axis in "xyz"] for point in points]).reshape(-1, 3)
    except FileNotFoundError:
        raise DatasetError(f"{path}: picked points missing; copy the data set again") from None
    except (ElementTree.ParseError, KeyError, ValueError, OSError) as error:
        raise DatasetError(f"{path}: no picked points of MeshLab ({error}); copy the data set again") from error


def _read_with_trimesh(path: Path) -> Scan:
    try:
        import trimesh
    except ImportError as error:
        raise DatasetError(f"{path}: reading scans needs trimesh; install deep3d[evaluation]") from error
    try:
        mesh = trimesh.load(path, process=False, maintain_order=True, skip_materials=True)
    except Exception as error:  # whatever its parsers make of a damaged file
        raise DatasetError(f"{path}: damaged ({error}); copy the data set again") from error
    triangles = np.asarray(getattr(mesh, "faces", np.empty((0, 3))), np.int64)
    return Scan(np.asarray(getattr(mesh, "vertices", np.empty((0, 3))), np.float64), triangles)


def _read_vrml(path: Path) -> Scan:
    """The first indexed face set of a VRML 2 file."""
    text = path.read_text(encoding="latin-1")
    blocks = [re.search(rf"\b{name}\s*\[([^\]]*)\]", text) for name in ("point", "coordIndex")]
    try:
        numbers = ["" if block is None else block[1].replace(",", " ") for block in blocks]
        vertices = np.array(numbers[0].split(), np.float64).reshape(-1, 3)
        return Scan(vertices, np.array(numbers[1].split(), np.int64).reshape(-1, 4)[:, :3])  # each ends with -1
    except ValueError as error:
        raise DatasetError(f"{path}: damaged ({error}); copy the data set again") from error
