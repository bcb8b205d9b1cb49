"""Read the ICT Face Model Light (USC ICT, MIT licence): packed in one npz file, or the folder of OBJ files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = {  # vertex ranges of the source mesh
    "face": (0, 9409),
    "head": (9409, 11248),
    "mouth_socket": (11248, 13294),
    "eye_socket_left": (13294, 13678),
    "eye_socket_right": (13678, 14062),
    "gums": (14062, 17039),
    "teeth": (17039, 21451),
    "sclera_left": (21451, 22221),
    "sclera_right": (23021, 23791),
}


@dataclass(frozen=True)
class Source:
    """Scan statistics on the source's quad mesh. Centimetres, x to the person's left, y up, z out of the face."""

    neutral: np.ndarray  # (S, 3)
    identity: np.ndarray  # (100, S, 3) offsets for one standard deviation
    expressions: dict[str, np.ndarray]  # (S, 3) offsets for weight 1
    quads: np.ndarray  # (F, 4), -1 in the fourth place of a triangle
    quads_uv: np.ndarray  # (F, 4)
    uv: np.ndarray  # (U, 2), one unit tile per material
    landmarks68: np.ndarray  # (68,) vertices, the source's own placement


def read_source(path: Path) -> Source:
    """Read either form.

    Raises: FileNotFoundError if files of the published folder are missing.
    """
    return _read_packed(path) if path.is_file() else _read_published(path)


def _read_packed(path: Path) -> Source:
    data = np.load(path)
    names = [str(name) for name in data["expression_names"]]
    return Source(
        neutral=data["neutral"].astype(np.float64),
        identity=data["identity"].astype(np.float32),
        expressions=dict(zip(names, data["expression"].astype(np.float32))),
        quads=data["faces"],
        quads_uv=data["faces_uv"],
        uv=data["uv"],
        landmarks68=data["landmarks68"],
    )


def _read_published(folder: Path) -> Source:
    """The folder `FaceXModel` of ICT-FaceKit: generic_neutral_mesh.obj, identity000..099.obj, one OBJ an expression."""
    neutral, uv, quads, quads_uv = _read_obj(folder / "generic_neutral_mesh.obj")
    identity = [_read_obj(folder / f"identity{k:03d}.obj")[0] - neutral for k in range(100)]
    others = sorted(p for p in folder.glob("*.obj") if not p.stem.startswith(("identity", "generic")))
    landmarks = (folder / "landmarks68.txt").read_text().split()
    return Source(
        neutral=neutral,
        identity=np.stack(identity).astype(np.float32),
        expressions={p.stem: (_read_obj(p)[0] - neutral).astype(np.float32) for p in others},
        quads=quads,
        quads_uv=quads_uv,
        uv=uv,
        landmarks68=np.array(landmarks, np.int32),
    )


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    vertices, uv, quads, quads_uv = [], [], [], []
    for line in path.read_text().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in values[:3]])
        elif kind == "vt":
            uv.append([float(value) for value in values[:2]])
        elif kind == "f":
            corners = [[int(number) - 1 for number in value.split("/")[:2]] for value in values]
            corners += [[-1, -1]] * (4 - len(corners))
            quads.append([corner[0] for corner in corners])
            quads_uv.append([corner[1] for corner in corners])
    return np.array(vertices), np.array(uv), np.array(quads, np.int32), np.array(quads_uv, np.int32)
