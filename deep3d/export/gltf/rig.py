"""The rig of a head in a glTF file: a skeleton whose joints move the face's mesh (a `skin`), and carry the hair."""

from __future__ import annotations

from typing import Any

import numpy as np

from deep3d.export.gltf.file import METRES, GltfFile
from deep3d.face_model import FaceModel
from deep3d.whole_head.rig import HEAD, JOINTS, PARENTS, rig


def add_rig(
    file: GltfFile, document: dict[str, Any], face_model: FaceModel, neutral: np.ndarray, vertex: np.ndarray
) -> None:
    """Add joints at those of a neutral head (V, 3), decimetres, to a file whose first node is the face.

    `vertex` (N,) has the whole head's vertex of each of the file's. A model without a rig leaves all as it is.
    """
    found = rig(face_model)
    if found is None:
        return
    places = found.at(neutral, face_model.mean_shape) * METRES
    attributes = {
        "JOINTS_0": file.bytes_of_four(found.joints[vertex]),
        "WEIGHTS_0": file.bytes_of_four(found.weights[vertex], normalized=True),
    }
    for primitive in document["meshes"][0]["primitives"]:
        primitive["attributes"] = {**primitive["attributes"], **attributes}
    to_joint = np.tile(np.eye(4), (len(places), 1, 1))
    to_joint[:, :3, 3] = -places
    first = len(document["nodes"])
    document["nodes"] += _joints(places, first)
    document["scenes"][0]["nodes"].append(first)
    document["skins"] = [
        {
            "joints": [first + joint for joint in range(len(JOINTS))],
            "inverseBindMatrices": file.matrices(to_joint),
            "skeleton": first,
        }
    ]
    document["nodes"][0]["skin"] = 0


def hang_on_head(document: dict[str, Any], node: dict[str, Any]) -> None:
    """Add a node, placed like the face, that the head carries; in a file without joints it stands for itself."""
    number = len(document["nodes"])
    head = next((each for each in document["nodes"] if each.get("name") == JOINTS[HEAD]), None)
    if head is None:
        document["scenes"][0]["nodes"].append(number)
        document["nodes"].append(node)
        return
    chain, at = [], HEAD
    while at is not None:
        chain.append(JOINTS[at])
        at = PARENTS[at]
    moved = np.sum([each["translation"] for each in document["nodes"] if each.get("name") in chain], axis=0)
    head.setdefault("children", []).append(number)
    document["nodes"].append({**node, "translation": (-moved).tolist()})


def _joints(places: np.ndarray, first: int) -> list[dict[str, Any]]:
    """Nodes of joints at places (J, 3), of which the first will have the number `first`."""
    nodes: list[dict[str, Any]] = []
    for joint, (name, parent) in enumerate(zip(JOINTS, PARENTS)):
        start = 0 if parent is None else places[parent]
        nodes.append({"name": name, "translation": (places[joint] - start).astype(float).tolist()})
        if parent is not None:
            nodes[parent].setdefault("children", []).append(first + joint)
    return nodes
