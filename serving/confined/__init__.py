"""Work that may take too much time or memory, in processes of its own: a pool of them, and their inside.

What strangers send is decoded there, and pictures of faces are drawn there. A process that goes beyond its limits ends,
and with it nothing but the one call that it was at.
"""

from serving.confined.pool import Overrun, Pool

__all__ = ["Overrun", "Pool"]
