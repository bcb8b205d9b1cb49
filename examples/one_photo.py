"""A photo to a folder of files, and what is known of the face.

python examples/one_photo.py photo.jpg results
"""

import sys

from deep3d import Reconstructor, write_results

photo, folder = sys.argv[1:]
face = Reconstructor.load(hair="shell")(photo)
write_results(face, folder)

pose = face.pose
sys.stdout.write(f"yaw {pose.yaw:.0f}, pitch {pose.pitch:.0f}, roll {pose.roll:.0f} degrees\n")
sys.stdout.write(f"{len(face.vertices)} vertices, nose tip at pixel {face.landmarks68[30].round()}\n")
