"""Says that numeric kernels are being compiled, which delays only the first command on a machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from numba.core.event import Event, Listener, install_listener

from deep3d.cli.output import say

NOTICE = "deep3d: compiling numeric kernels; this happens once per machine and can take a minute"


@contextmanager
def compiling_told() -> Iterator[None]:
    """Say so once, if compilation begins within the block."""
    with install_listener("numba:compile", _Notice()):
        yield


class _Notice(Listener):
    def __init__(self) -> None:
        self._given = False

    def on_start(self, event: Event) -> None:
        if not self._given:
            self._given = True
            say(NOTICE)

    def on_end(self, event: Event) -> None:
        """Others follow."""
