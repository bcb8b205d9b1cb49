"""The same person with another expression: a smile, at full strength.

python examples/another_expression.py photo.jpg smile.jpg
"""

import sys
from dataclasses import replace

from PIL import Image

from deep3d import Pose, Reconstructor, draw_view

photo, out = sys.argv[1:]
face = Reconstructor.load()(photo)
expression = 0 * face.coefficients.expression
for name in ("mouthSmile_L", "mouthSmile_R"):
    expression[:, face.face_model.expression_names.index(name)] = 1.0
smiling = replace(face.coefficients, expression=expression)
mesh = face.face_model.mesh(face.face_model.shape(smiling)[0])
Image.fromarray(draw_view(mesh, face.texture, Pose(20.0, 0.0, 0.0), 512)).save(out)
