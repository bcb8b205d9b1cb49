"""Linear face models: mean, identity, expression and albedo bases on one mesh."""

from deep3d.face_model.components import Components
from deep3d.face_model.files import default_face_model, read_face_model, write_face_model
from deep3d.face_model.markup import Markup, SurfacePoints
from deep3d.face_model.model import FaceModel, ModelInfo, ModelPart

__all__ = [
    "Components",
    "FaceModel",
    "Markup",
    "ModelInfo",
    "ModelPart",
    "SurfacePoints",
    "default_face_model",
    "read_face_model",
    "write_face_model",
]
