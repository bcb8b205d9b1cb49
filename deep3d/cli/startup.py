"""A command's process starts sooner without modules that no command uses, and without a look for garbage meanwhile."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

_UNUSED = {"openvino.tools.ovc": "openvino", "scipy.linalg": "numba.np.arraymath", "attr": "rich.pretty"}
"""Modules that are spared, each with the one that would load it and does without where it is not installed.

OpenVINO's converter of other formats, which brings a logger and telemetry, and scipy's algebra, which numba asks for at
its first kernel only to know whether it is there, are a tenth of the time that one photo takes. The classes of attrs,
which the pretty-printer of rich wants to know, are a twentieth of that of `--help`.
"""


def spare_imports() -> None:
    """Import what is unused as if it were not installed: for processes of our own, since the user's might want it."""
    if not any(isinstance(finder, _Sparing) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Sparing())


@contextmanager
def starting() -> Iterator[None]:
    """Look for no garbage within the block, and never for any among what it brings.

    Libraries and networks are hundreds of thousands of objects that all stay. Looking through them again and again, at
    last when the process ends, is a sixth of the time that one photo takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _Sparing(MetaPathFinder):
    """Finds no module; but while the module of `_UNUSED` is on its way that would load another, that is not found."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """None, which leaves the search to the next finder. Raises: ModuleNotFoundError for what is spared."""
        if fullname in _UNUSED and _is_loading(_UNUSED[fullname]):
            raise ModuleNotFoundError(f"{fullname} is spared in this process", name=fullname)
        return None


def _is_loading(name: str) -> bool:
    """Whether a module's import has begun and not ended."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return getattr(spec, "_initializing", False)
