"""Keep only the results that can be relied on.

python examples/how_sure.py photo.jpg ...
"""

import sys

from deep3d import Reconstructor, read_photo

MOST = 2.5  # percent of the face box

for photo, faces in zip(sys.argv[1:], Reconstructor.load().reconstruct([read_photo(path) for path in sys.argv[1:]])):
    for face in faces:
        confidence = face.confidence
        if confidence is None:
            raise SystemExit("this checkpoint does not say how sure it is")
        verdict = "keep" if confidence.landmark_error <= MOST else "look at it"
        sys.stdout.write(f"{photo}: {confidence.landmark_error:.1f}% expected, {verdict}\n")
        for warning in confidence.warnings:
            sys.stdout.write(f"    {warning}\n")
