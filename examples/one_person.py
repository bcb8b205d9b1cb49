"""Several photos of one person: one shape and one texture for all of them.

python examples/one_person.py results a.jpg b.jpg c.jpg
"""

import sys

from deep3d import Reconstructor, read_photo, write_results

results, *photos = sys.argv[1:]
person = Reconstructor.load().same_person([read_photo(photo) for photo in photos])
write_results(person.merged, results)
for photo, weight in zip(photos, person.weight):
    sys.stdout.write(f"{photo}: {weight:.0%} of the shape\n")
