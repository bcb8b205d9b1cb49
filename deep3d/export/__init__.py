"""The files of a face. Other tools rely on their contents, which change only with a version number."""

from deep3d.export.depth import write_depths
from deep3d.export.face_json import write_json
from deep3d.export.folder import DEFAULT_FORMATS, FORMATS, write_faces, write_results
from deep3d.export.gltf.basis import basis_file
from deep3d.export.gltf.face import write_glb
from deep3d.export.gltf.web import expression_file, write_web
from deep3d.export.hair import read_hair
from deep3d.export.mat import write_mat
from deep3d.export.material import (
    material_glb,
    read_relightable,
    read_relightable_glb,
    small_material_glb,
    write_material,
)
from deep3d.export.obj import write_obj
from deep3d.export.ply import write_ply
from deep3d.export.replacing import other_files

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "basis_file",
    "expression_file",
    "material_glb",
    "other_files",
    "read_hair",
    "read_relightable",
    "read_relightable_glb",
    "small_material_glb",
    "write_depths",
    "write_faces",
    "write_glb",
    "write_json",
    "write_mat",
    "write_material",
    "write_obj",
    "write_ply",
    "write_results",
    "write_web",
]
