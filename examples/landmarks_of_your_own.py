"""A face from 68 landmarks that another program placed: no detector, no network.

python examples/landmarks_of_your_own.py photo.jpg landmarks.json results
"""

import sys

from deep3d import default_face_model, fit_photo, read_landmarks68, read_photo, write_results

photo, landmarks, results = sys.argv[1:]
face = fit_photo(read_photo(photo), read_landmarks68(landmarks), default_face_model())
write_results(face, results)
