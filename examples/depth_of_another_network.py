"""Give the depth of MiDaS, DPT or Depth Anything its scale, and mesh it.

python examples/depth_of_another_network.py photo.jpg inverse_depth.npy mesh.ply
"""

import sys

import numpy as np
import trimesh

from deep3d import Reconstructor, depth_to_mesh, metric_depth

photo, inverse, out = sys.argv[1:]
face = Reconstructor.load()(photo)
metric = metric_depth(np.load(inverse), face)
mesh = depth_to_mesh(metric.depth, metric.camera)
sys.stdout.write(f"{np.nanmin(metric.depth) / 10:.0f} cm to the nearest point, {len(mesh.vertices)} vertices\n")
trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False).export(out)
