"""Pictures of the textured head at angles of your choice.

python examples/views.py photo.jpg views
"""

import sys
from pathlib import Path

from PIL import Image

from deep3d import Pose, Reconstructor, draw_view

photo, folder = sys.argv[1], Path(sys.argv[2])
face = Reconstructor.load(hair="shell")(photo)
folder.mkdir(parents=True, exist_ok=True)
for yaw in (-60, -30, 0, 30, 60):
    picture = draw_view(face.whole_mesh, face.texture, Pose(yaw, 0.0, 0.0), 512, hair=face.hair)
    Image.fromarray(picture).save(folder / f"yaw_{yaw:+03d}.jpg", quality=92)
