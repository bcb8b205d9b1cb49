"""How a command's process starts: settings that only a process of our own may have, and no look for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from deep3d.memory import share_heaps


@contextmanager
def starting() -> Iterator[None]:
    """Collect no garbage within the block, and never among what it brings.

    Libraries and networks are hundreds of thousands of objects that all stay. Looking through them again and again
    costs 0.45 s of the 2 s of processor time that one photo takes.
    """
    share_heaps()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
