"""How a program beside deep3d takes photos and answers; it knows nothing but Python."""

from __future__ import annotations

import sys
from collections.abc import Callable


def answer_photos(load: Callable[[], Callable[[bytes], int]]) -> None:
    """Load a program, then give the number of points that it finds in each photo, until the input ends.

    Photos come on standard input, each after its length in four bytes, the lowest first. Numbers go to standard
    output, in four bytes too. A zero comes first: the program is ready.
    """
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # other projects print
    points_of = load()
    number = 0
    while True:
        answers.write(number.to_bytes(4, "little"))
        answers.flush()
        length = sys.stdin.buffer.read(4)
        if not length:
            return
        number = points_of(sys.stdin.buffer.read(int.from_bytes(length, "little")))
