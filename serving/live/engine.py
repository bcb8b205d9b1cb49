"""The networks of the live process: loaded when the first visitor comes, and asked for one frame at a time.

Each session has one frame here at most, so that those of several take turns.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from deep3d import Reconstructor
from deep3d.runtime.cores import take_over_process
from deep3d.video.live import LiveFace, LiveFaces
from serving.settings import Settings

T = TypeVar("T")

Follow = Callable[[np.ndarray, float], list[LiveFace]]
"""The faces of the next frame (H, W, 3) of a camera, at a time in seconds; the largest first."""

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """What sessions ask of the networks; tests have a quicker one."""

    async def begin(self) -> Follow:
        """What follows the faces of a new camera."""
        ...

    async def run(self, work: Callable[[], T]) -> T:
        """Do a piece of work when its turn comes."""
        ...


class NetworkEngine:
    """The networks in one thread, whose work is done in the order in which it comes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, "networks")
        self._reconstructor: Reconstructor | None = None

    async def begin(self) -> Follow:
        """Raises: Deep3DError if the networks cannot be loaded."""
        return LiveFaces(await self.run(self._loaded))

    async def run(self, work: Callable[[], T]) -> T:
        """Do a piece of work when its turn comes."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _loaded(self) -> Reconstructor:
        if self._reconstructor is None:
            start = time.perf_counter()
            take_over_process()
            load = partial(Reconstructor.load, runtime=self._settings.runtime, threads=self._settings.threads or None)
            self._reconstructor = load(refinement="landmarks")
            _log.info("networks loaded after %.1f s", time.perf_counter() - start)
        return self._reconstructor
