"""Light taken off: albedo, specular, roughness and fine normals from a photo, and the face in any light."""

from deep3d.material.environments import PRESETS, environment
from deep3d.material.lights import lights_file
from deep3d.material.material import Material, separate, separate_person
from deep3d.material.relighting import RelightableHead

__all__ = [
    "PRESETS",
    "Material",
    "RelightableHead",
    "environment",
    "lights_file",
    "separate",
    "separate_person",
]
