"""How far two people's neutral faces are apart, in millimetres: shape without pose and expression.

python examples/distance_between_people.py a.jpg b.jpg
"""

import sys

import numpy as np

from deep3d import Reconstructor
from deep3d.mesh import MILLIMETRES

reconstructor = Reconstructor.load()
a, b = (reconstructor(photo) for photo in sys.argv[1:])
model = a.face_model
skin = model.skin > 0.5
shapes = [MILLIMETRES * model.neutral_shape(face.coefficients.identity)[0][skin] for face in (a, b)]
sys.stdout.write(f"{np.linalg.norm(shapes[0] - shapes[1], axis=1).mean():.2f} mm\n")
