"""Pictures of reconstructions for people to look at, and maps for programs: one file for each kind."""

from deep3d.drawing.error import draw_error
from deep3d.drawing.heads import Faces
from deep3d.drawing.landmarks import draw_dense, draw_landmarks
from deep3d.drawing.looks import LOOKS, STUDIO, DressedHead, dressed, in_clay, in_light, in_normals, in_photo, in_skin
from deep3d.drawing.maps import depth_map, draw_depth, draw_normals, draw_pncc
from deep3d.drawing.onto import draw_textured
from deep3d.drawing.overlay import draw_overlay, write_overlay
from deep3d.drawing.pose import draw_pose
from deep3d.drawing.relit import relight
from deep3d.drawing.surface import draw_albedo, draw_surface, draw_wireframe
from deep3d.drawing.textures import draw_uv_texture
from deep3d.drawing.turntable import draw_turntable
from deep3d.drawing.uncertainty import draw_uncertainty
from deep3d.drawing.view import draw_view

__all__ = [
    "LOOKS",
    "STUDIO",
    "DressedHead",
    "Faces",
    "depth_map",
    "draw_albedo",
    "draw_dense",
    "draw_depth",
    "draw_error",
    "draw_landmarks",
    "draw_normals",
    "draw_overlay",
    "draw_pncc",
    "draw_pose",
    "draw_surface",
    "draw_textured",
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
    "relight",
    "write_overlay",
]
