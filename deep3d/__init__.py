"""One photo in, one textured 3D face out. The public names, each loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deep3d.camera import DEEP3D_CAMERA, Camera, Pose
    from deep3d.coefficients import FaceCoefficients
    from deep3d.dense import depth_to_mesh
    from deep3d.drawing import (
        DressedHead,
        depth_map,
        draw_albedo,
        draw_dense,
        draw_depth,
        draw_error,
        draw_landmarks,
        draw_normals,
        draw_pncc,
        draw_pose,
        draw_surface,
        draw_turntable,
        draw_uncertainty,
        draw_uv_texture,
        draw_view,
        draw_wireframe,
        dressed,
        in_clay,
        in_light,
        in_normals,
        in_photo,
        in_skin,
        relight,
    )
    from deep3d.errors import Deep3DError
    from deep3d.export import (
        basis_file,
        expression_file,
        material_glb,
        read_hair,
        read_relightable_glb,
        small_material_glb,
        write_results,
        write_web,
    )
    from deep3d.face_model import FaceModel, default_face_model, read_face_model
    from deep3d.fitting import read_landmarks68
    from deep3d.hair import Hair
    from deep3d.material import Material, RelightableHead, environment, lights_file, separate, separate_person
    from deep3d.mesh import Mesh
    from deep3d.photo import Photo, read_photo
    from deep3d.pipeline.from_landmarks import fit_photo
    from deep3d.pipeline.reconstructor import Reconstructor
    from deep3d.pipeline.relative_depth import metric_depth
    from deep3d.pipeline.reopening import reopen_face
    from deep3d.pipeline.same_person import SamePerson
    from deep3d.reconstruction import Reconstruction
    from deep3d.whole_head import WholeHead

__all__ = [
    "DEEP3D_CAMERA",
    "Camera",
    "Deep3DError",
    "DressedHead",
    "FaceCoefficients",
    "FaceModel",
    "Hair",
    "Material",
    "Mesh",
    "Photo",
    "Pose",
    "Reconstruction",
    "Reconstructor",
    "RelightableHead",
    "SamePerson",
    "WholeHead",
    "default_face_model",
    "depth_map",
    "depth_to_mesh",
    "draw_albedo",
    "draw_dense",
    "draw_depth",
    "draw_error",
    "draw_landmarks",
    "draw_normals",
    "draw_pncc",
    "draw_pose",
    "draw_surface",
    "draw_turntable",
    "draw_uncertainty",
    "draw_uv_texture",
    "draw_view",
    "draw_wireframe",
    "dressed",
    "in_clay",
    "in_light",
    "in_normals",
    "in_photo",
    "in_skin",
    "basis_file",
    "environment",
    "expression_file",
    "fit_photo",
    "lights_file",
    "material_glb",
    "metric_depth",
    "read_relightable_glb",
    "read_face_model",
    "read_hair",
    "read_landmarks68",
    "read_photo",
    "relight",
    "reopen_face",
    "separate",
    "separate_person",
    "small_material_glb",
    "write_results",
    "write_web",
]

_MODULES = {
    "DEEP3D_CAMERA": "deep3d.camera",
    "Camera": "deep3d.camera",
    "Deep3DError": "deep3d.errors",
    "FaceCoefficients": "deep3d.coefficients",
    "FaceModel": "deep3d.face_model",
    "Hair": "deep3d.hair",
    "Material": "deep3d.material",
    "Mesh": "deep3d.mesh",
    "Photo": "deep3d.photo",
    "Pose": "deep3d.camera",
    "Reconstruction": "deep3d.reconstruction",
    "Reconstructor": "deep3d.pipeline.reconstructor",
    "RelightableHead": "deep3d.material",
    "SamePerson": "deep3d.pipeline.same_person",
    "WholeHead": "deep3d.whole_head",
    "default_face_model": "deep3d.face_model",
    "depth_to_mesh": "deep3d.dense",
    "basis_file": "deep3d.export",
    "environment": "deep3d.material",
    "expression_file": "deep3d.export",
    "fit_photo": "deep3d.pipeline.from_landmarks",
    "lights_file": "deep3d.material",
    "metric_depth": "deep3d.pipeline.relative_depth",
    "material_glb": "deep3d.export",
    "read_relightable_glb": "deep3d.export",
    "read_face_model": "deep3d.face_model",
    "read_hair": "deep3d.export",
    "read_landmarks68": "deep3d.fitting",
    "read_photo": "deep3d.photo",
    "reopen_face": "deep3d.pipeline.reopening",
    "separate": "deep3d.material",
    "separate_person": "deep3d.material",
    "small_material_glb": "deep3d.export",
    "write_results": "deep3d.export",
    "write_web": "deep3d.export",
}
_PICTURES = "deep3d.drawing"  # the home of all other public names


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'deep3d' has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, _PICTURES)), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
