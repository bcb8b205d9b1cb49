"""Hair in files: hair.obj with hair.mtl and hair.png beside face.obj, and a second mesh in face.glb."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deep3d.export.gltf.file import METRES, GltfFile
from deep3d.export.gltf.rig import hang_on_head
from deep3d.export.images import png
from deep3d.export.obj import mesh_files
from deep3d.hair import Hair
from deep3d.mesh import MILLIMETRES, Mesh, vertex_normals, vertex_triangles
from deep3d.reconstruction import Reconstruction

_KINDS = {5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}  # glTF's numbers of component types
_TRANSPARENT = "map_d -imfchan m hair.png\n"  # its opacity channel


def write_hair_obj(reconstruction: Reconstruction, folder: Path) -> None:
    """Write hair.obj, hair.mtl and hair.png (colours and opacity) into a folder; nothing for a head without hair."""
    hair = reconstruction.hair
    if hair is None:
        return
    mesh = Mesh(hair.mesh.vertices * MILLIMETRES, hair.mesh.triangles, hair.mesh.uv, hair.mesh.uv_triangles)
    files = mesh_files(mesh, "hair", "hair.png")
    files["hair.mtl"] += _TRANSPARENT.encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "hair.png").write_bytes(png(hair.image))


def read_hair(content: bytes) -> Hair | None:
    """The hair of a face.web.glb or face.glb, None where it has none."""
    (length,) = struct.unpack_from("<I", content, 12)
    document, buffer = json.loads(content[20 : 20 + length]), content[28 + length :]
    number = next((n for n, node in enumerate(document["nodes"]) if node.get("name") == "hair"), None)
    if number is None:
        return None
    node = document["nodes"][number]
    (primitive,) = document["meshes"][node["mesh"]]["primitives"]

    def values(accessor: int) -> np.ndarray:
        about = document["accessors"][accessor]
        view = document["bufferViews"][about["bufferView"]]
        kind, width = np.dtype(_KINDS[about["componentType"]]), {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[about["type"]]
        stride = view.get("byteStride", kind.itemsize * width)
        shape, strides = (about["count"], width), (stride, kind.itemsize)
        found = np.ndarray(shape, kind, buffer, view.get("byteOffset", 0), strides)
        return found / np.iinfo(kind).max if about.get("normalized") else found

    vertices = values(primitive["attributes"]["POSITION"]) * node.get("scale", [1, 1, 1]) / METRES
    uv = values(primitive["attributes"]["TEXCOORD_0"]) * [1, -1] + np.array([0, 1])
    triangles = values(primitive["indices"]).reshape(-1, 3).astype(np.int32)
    texture = document["materials"][primitive["material"]]["pbrMetallicRoughness"]["baseColorTexture"]["index"]
    view = document["bufferViews"][document["images"][document["textures"][texture]["source"]]["bufferView"]]
    start = view.get("byteOffset", 0)
    with Image.open(io.BytesIO(buffer[start : start + view["byteLength"]])) as picture:
        image = np.asarray(picture)
    return Hair(Mesh(vertices.astype(np.float32), triangles, uv.astype(np.float32), triangles), image)


def add_hair(file: GltfFile, document: dict[str, Any], hair: Hair) -> None:
    """Add a mesh `hair` with its own material to a file and its document, beside the face."""
    mesh = hair.mesh
    normals = vertex_normals(mesh.vertices[None], mesh.triangles, vertex_triangles(mesh.triangles, len(mesh.vertices)))
    attributes = {
        "POSITION": file.positions(mesh.vertices * METRES),
        "NORMAL": file.attribute(normals[0]),
        "TEXCOORD_0": file.attribute(mesh.uv * [1, -1] + np.array([0, 1])),  # v runs down
    }
    image = file.view(png(hair.image))
    material = {
        **document["materials"][0],
        "name": "hair",
        "alphaMode": "BLEND",
        "doubleSided": True,  # far hair is seen from within
        "pbrMetallicRoughness": {
            **document["materials"][0]["pbrMetallicRoughness"],
            "baseColorTexture": {"index": len(document["textures"])},
        },
    }
    primitive = {
        "attributes": attributes,
        "indices": file.indices(mesh.triangles),
        "material": len(document["materials"]),
    }
    document["textures"].append({"source": len(document["images"]), "sampler": 0})
    document["images"].append({"bufferView": image, "mimeType": "image/png"})
    document["materials"].append(material)
    hang_on_head(document, {"name": "hair", "mesh": len(document["meshes"])})
    document["meshes"].append({"name": "hair", "primitives": [primitive]})
