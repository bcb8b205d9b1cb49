"""face_material.glb and its maps: a face without light, as glTF's physically based materials have it; read again.

The skin has base colour, normal, roughness and specular maps; what lies in the mouth has a wet material of its own over
the same maps, and eyes have a clear coat of tears. Extensions are optional: viewers without them show the skin a little
shinier.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deep3d.errors import MaterialMissing
from deep3d.export.gltf.face import document, shared_parts
from deep3d.export.gltf.file import GltfFile
from deep3d.export.gltf.morph_targets import base_shape, weights
from deep3d.export.gltf.rig import add_rig
from deep3d.export.gltf.tangents import vertex_tangents
from deep3d.export.gltf.web import smaller
from deep3d.export.hair import add_hair
from deep3d.export.images import jpeg, png
from deep3d.face_model import FaceModel
from deep3d.fitting.named_expressions import expression_weights
from deep3d.hair import Hair
from deep3d.material import Material, RelightableHead
from deep3d.material.gloss import WET_ROUGHNESS
from deep3d.material.hdr import hdr
from deep3d.material.texels import Maps, over_texels
from deep3d.mesh import MILLIMETRES
from deep3d.reconstruction import Reconstruction
from deep3d.texture import Atlas
from deep3d.texture.skin_colour import eyeballs, mouth_interior
from deep3d.whole_head import WholeHead

FILES = (
    "face_material.glb",
    "base_color.png",
    "normal.png",
    "roughness.png",
    "specular.png",
    "light.hdr",
    "light.json",
)
HAIR_ROUGHNESS = 0.6
COAT_ROUGHNESS = 0.03  # of tears, which mirror lamps sharply
UNDER_COAT = 0.3  # roughness of the eye beneath: where viewers know no coats, it shines alone
_SPECULAR, _COAT = "KHR_materials_specular", "KHR_materials_clearcoat"
_BASE, _NORMAL, _ROUGHNESS, _FACTOR = range(4)


def write_material(face: Reconstruction, material: Material, folder: Path) -> None:
    """Write `FILES` into a folder."""
    maps = material.maps
    (folder / "base_color.png").write_bytes(png(maps.base_color))
    (folder / "normal.png").write_bytes(png(maps.normal))
    (folder / "roughness.png").write_bytes(_grey_png(maps.roughness))
    (folder / "specular.png").write_bytes(_grey_png(maps.specular))
    (folder / "light.hdr").write_bytes(hdr(material.panorama))
    (folder / "light.json").write_text(json.dumps(material.light_json(), indent=1) + "\n", encoding="utf-8")
    (folder / "face_material.glb").write_bytes(material_glb(face, material, face.hair))


def material_glb(face: Reconstruction, material: Material, hair: Hair | None) -> bytes:
    """The bytes of face_material.glb: the meshes of face.glb, with lit materials.

    Hair has no maps of its own: its colours in the photo, with the light taken off that lay on the skin.
    """
    file, whole = _parts(face, material, material.maps, ("image/png", png(material.maps.normal)), tangents=True)
    if hair is not None:
        add_hair(file, whole, hair)
        whole["materials"][-1] = _hair(whole["materials"][-1], material)
    return file.pack(whole)


def small_material_glb(face: Reconstruction, material: Material) -> bytes:
    """The same for a page, which moves the face by `expression_file` and has its hair: a tenth of the bytes.

    Normals are a JPEG, gloss has half the texels each way, and the mesh is that of face.web.glb. `hair` among the
    extras of its asset is what the linear colours of hair are to be multiplied by.
    """
    maps = material.maps
    coarse = replace(maps, roughness=maps.roughness[::2, ::2], specular=maps.specular[::2, ::2])
    file, whole = _parts(face, material, coarse, ("image/jpeg", jpeg(maps.normal)), tangents=False)
    whole["asset"]["extras"] = {"hair": np.round(material.evened, 4).tolist()}
    return smaller(file.pack(whole), face)


def _parts(
    face: Reconstruction, material: Material, maps: Maps, normal: tuple[str, bytes], tangents: bool
) -> tuple[GltfFile, dict[str, Any]]:
    """A file and its document, with maps as fine as wanted; `normal` is the kind and the bytes of that of normals.

    Without `tangents` programs make their own.
    """
    occlusion = _occlusion(face, material, len(maps.roughness))
    pictures = [
        ("image/jpeg", jpeg(maps.base_color)),
        normal,
        ("image/jpeg", jpeg(np.stack([occlusion, maps.roughness, np.zeros_like(occlusion)], axis=2))),
        ("image/png", _alpha_png(maps.specular)),
    ]
    model = face.face_model
    shared, head = model.derived(shared_parts), WholeHead.of(model)
    target_weights = weights(shared.targets, expression_weights(face))
    base = base_shape(face.whole_mesh.vertices, shared.targets, target_weights)
    file = shared.file.copy()
    normals = head.normals(base)
    mesh = shared.mesh(file, base, normals, target_weights)
    skin, *wet = _by_material(file, mesh["primitives"][0], model)
    if tangents:
        skin["attributes"] = {**skin["attributes"], "TANGENT": file.attribute(_tangents(head, base, normals))}
    mesh["primitives"] = [skin, *wet]
    views = [file.view(picture) for _, picture in pictures]
    whole = document(mesh, views[0])
    whole["images"] = [{"bufferView": view, "mimeType": kind} for view, (kind, _) in zip(views, pictures)]
    whole["textures"] = [{"source": number, "sampler": 0} for number in range(len(views))]
    whole |= {"extensionsUsed": [_SPECULAR, _COAT], "materials": [_skin(), _wet("mouth", WET_ROUGHNESS), _eyes()]}
    add_rig(file, whole, model, face.neutral_vertices, shared.vertex)
    return file, whole


def _occlusion(face: Reconstruction, material: Material, size: int) -> np.ndarray:
    """(size, size) uint8: how far the head leaves each texel open to light, so that nostrils are dark in any.

    Teeth, whose colours are dark within, are open: lips that are shut in the photo may part.
    """
    model = face.face_model
    openness = np.maximum(material.transfer.openness, model.derived(mouth_interior))
    image = over_texels(Atlas.of(model, size), model, 255 * openness[:, None])[..., 0]
    return WholeHead.of(model).filled(np.rint(image).astype(np.uint8), (255,))


def _skin() -> dict[str, Any]:
    return {
        "name": "skin",
        "pbrMetallicRoughness": {
            "baseColorTexture": {"index": _BASE},
            "metallicRoughnessTexture": {"index": _ROUGHNESS},
            "metallicFactor": 0,
        },
        "normalTexture": {"index": _NORMAL},
        "occlusionTexture": {"index": _ROUGHNESS},
        "extensions": {_SPECULAR: {"specularTexture": {"index": _FACTOR}, "specularFactor": 1}},
    }


def _wet(name: str, roughness: float) -> dict[str, Any]:
    return {
        "name": name,
        "pbrMetallicRoughness": {
            "baseColorTexture": {"index": _BASE},
            "metallicFactor": 0,
            "roughnessFactor": roughness,
        },
    }


def _eyes() -> dict[str, Any]:
    coat = {"clearcoatFactor": 1, "clearcoatRoughnessFactor": COAT_ROUGHNESS}
    shade = {"occlusionTexture": {"index": _ROUGHNESS}}
    return {**_wet("eyes", UNDER_COAT), **shade, "extensions": {_COAT: coat}}


def _hair(unlit: dict[str, Any], material: Material) -> dict[str, Any]:
    coloured = {
        "baseColorTexture": unlit["pbrMetallicRoughness"]["baseColorTexture"],
        "baseColorFactor": [*np.clip(material.evened, 0, 1).round(4).tolist(), 1],
        "metallicFactor": 0,
        "roughnessFactor": HAIR_ROUGHNESS,
    }
    return {
        **{key: unlit[key] for key in ("name", "alphaMode", "doubleSided")},
        "pbrMetallicRoughness": coloured,
    }


def _by_material(file: GltfFile, primitive: dict[str, Any], model: FaceModel) -> list[dict[str, Any]]:
    """The primitives of skin, mouth and eyes: the same vertices, each with its own triangles."""
    head = WholeHead.of(model)
    triangles = _corners(head)[1]
    inside = np.concatenate([model.derived(mouth_interior), head.parts.arch > 0])
    eyes = np.pad(model.derived(eyeballs), (0, len(head.parts.vertices)))
    of_eyes, of_mouth = (part[head.triangles].all(axis=1) for part in (eyes, inside))
    of_mouth &= ~of_eyes
    file.replace_indices(primitive["indices"], triangles[~(of_eyes | of_mouth)])
    parts = ((1, of_mouth), (2, of_eyes))
    wet = [(number, file.indices(triangles[part])) for number, part in parts if part.any()]
    return [primitive, *({**primitive, "indices": indices, "material": number} for number, indices in wet)]


def _tangents(head: WholeHead, base: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N, 4) of each vertex of the file, by vertices and normals (W, 3) of the whole head."""
    pairs, triangles = _corners(head)
    vertex, uv = np.divmod(pairs, len(head.uv))
    return vertex_tangents(base[vertex], normals[vertex], head.uv[uv] * [1, -1] + [0, 1], triangles)


def _corners(head: WholeHead) -> tuple[np.ndarray, np.ndarray]:
    """The vertices (N,) of the file as pairs of vertex and UV, numbered together, and its triangles (T, 3)."""
    pairs = head.triangles.astype(np.int64) * len(head.uv) + head.uv_triangles
    distinct, triangles = np.unique(pairs, return_inverse=True)
    return distinct, triangles.reshape(-1, 3)


def _grey_png(image: np.ndarray) -> bytes:
    return _encoded(Image.fromarray(image))


def _alpha_png(specular: np.ndarray) -> bytes:
    """KHR_materials_specular reads the factor from alpha: 1 is a reflectance of 0.04 at normal incidence."""
    factor = np.clip(specular.astype(np.float32) * 2, 0, 255).astype(np.uint8)
    return _encoded(Image.fromarray(np.dstack([np.full_like(factor, 255), factor]), "LA"))


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def read_relightable(folder: Path, model: FaceModel) -> RelightableHead:
    """From face.obj, base_color.png, roughness.png and specular.png in a folder of results.

    Raises: MaterialMissing if one is missing, damaged or of another face model.
    """
    vertices = _vertices(folder / "face.obj")
    if len(vertices) != len(model.mean_shape):
        raise MaterialMissing(
            f"{folder / 'face.obj'}: {len(vertices)} vertices, not of this face model; give its --model"
        )
    base, rough, shine = (_image(folder / f"{name}.png") for name in ("base_color", "roughness", "specular"))
    if base.ndim != 3 or rough.shape != base.shape[:2] or shine.shape != base.shape[:2]:
        raise MaterialMissing(f"{folder}: maps of different sizes; run `deep3d reconstruct --material` again")
    return RelightableHead.of_maps(model, vertices, base, rough, shine)


def read_relightable_glb(content: bytes, vertices: np.ndarray, model: FaceModel) -> tuple[RelightableHead, np.ndarray]:
    """A face from the bytes of `small_material_glb` and its vertices (V, 3) in decimetres.

    Beside it, the factor (3,) that takes the linear colours of its hair to albedo.
    """
    (length,) = struct.unpack_from("<I", content, 12)
    document, buffer = json.loads(content[20 : 20 + length]), content[28 + length :]

    def picture(number: int) -> np.ndarray:
        view = document["bufferViews"][document["images"][number]["bufferView"]]
        start = view.get("byteOffset", 0)
        with Image.open(io.BytesIO(buffer[start : start + view["byteLength"]])) as image:
            return np.asarray(image)

    shine = picture(_FACTOR)[..., 1] // 2
    head = RelightableHead.of_maps(model, vertices, picture(_BASE), picture(_ROUGHNESS)[..., 1], shine)
    return head, np.array(document["asset"]["extras"]["hair"])


def _vertices(path: Path) -> np.ndarray:
    try:
        lines = [line.split()[1:4] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("v ")]
        return (np.array(lines, np.float64).reshape(-1, 3) / MILLIMETRES).astype(np.float32)
    except (OSError, ValueError) as error:
        raise _missing(path) from error


def _image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image)
    except (OSError, ValueError) as error:
        raise _missing(path) from error


def _missing(path: Path) -> MaterialMissing:
    return MaterialMissing(f"{path}: cannot be read; run `deep3d reconstruct --material` for this photo first")
