"""The photo unwrapped into the UV atlas of a face model."""

from deep3d.texture.atlas import Atlas
from deep3d.texture.extract import Texture, extract_texture

__all__ = ["Atlas", "Texture", "extract_texture"]
