"""All faces of a group photo, the largest first.

python examples/everybody_in_a_photo.py group.jpg results
"""

import sys
from pathlib import Path

from deep3d import Reconstructor, read_photo, write_results

photo, results = sys.argv[1:]
(faces,) = Reconstructor.load().reconstruct([read_photo(photo)], faces="all")
for number, face in enumerate(faces, start=1):
    write_results(face, Path(results) / f"face-{number}")
sys.stdout.write(f"{len(faces)} faces\n")
