"""Hair in files: hair.obj with hair.mtl and hair.png beside face.obj, and a second mesh in face.glb."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deep3d.export.images import png
from deep3d.export.obj import mesh_files
from deep3d.hair import Hair
from deep3d.mesh import MILLIMETRES, Mesh, vertex_normals, vertex_triangles
from deep3d.reconstruction import Reconstruction

if TYPE_CHECKING:
    from deep3d.export.gltf import GltfFile

METRES = 0.1  # in a decimetre
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
    document["scenes"][0]["nodes"].append(len(document["nodes"]))
    document["nodes"].append({"name": "hair", "mesh": len(document["meshes"])})
    document["meshes"].append({"name": "hair", "primitives": [primitive]})
