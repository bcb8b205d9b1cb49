"""The photo unwrapped into the UV atlas of a face model."""

from deep3d.texture.atlas import Atlas
from deep3d.texture.extract import Texture, extract_texture
from deep3d.texture.merge import merge_textures

__all__ = ["Atlas", "Texture", "extract_texture", "merge_textures"]
