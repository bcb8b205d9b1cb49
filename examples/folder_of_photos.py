"""Many photos in batches: faster than one by one, and a photo without a face stops nothing.

python examples/folder_of_photos.py photos results
"""

import sys
from pathlib import Path

from deep3d import Reconstructor, read_photo, write_results

BATCH = 8

folder, results = map(Path, sys.argv[1:])
reconstructor = Reconstructor.load(goal="throughput")
paths = sorted(folder.glob("*.jpg"))
for start in range(0, len(paths), BATCH):
    batch = paths[start : start + BATCH]
    for path, faces in zip(batch, reconstructor.reconstruct([read_photo(path) for path in batch])):
        if faces:
            write_results(faces[0], results / path.stem)
        sys.stdout.write(f"{path.name}: {'done' if faces else 'no face found'}\n")
