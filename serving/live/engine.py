"""The networks of the live process: loaded when the first visitor comes, and asked for one frame at a time.

Each session has one frame here at most, so that those of several take turns. Until somebody comes the process is small:
what computes is imported with the networks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from serving.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from deep3d import Reconstructor
    from deep3d.video.live import LiveFace

T = TypeVar("T")

Follow = Callable[["np.ndarray", float], "list[LiveFace]"]
"""The faces of the next frame (H, W, 3) of a camera, at a time in seconds; the largest first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Camera:
    """A visitor's camera, as the networks follow it."""

    model: str  # SHA-256 of the face model whose coefficients are given
    follow: Follow


class Engine(Protocol):
    """What sessions ask of the networks; tests have a quicker one."""

    async def begin(self) -> Camera:
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

    async def begin(self) -> Camera:
        """Raises: Deep3DError if the networks cannot be loaded."""
        return await self.run(self._camera)

    async def run(self, work: Callable[[], T]) -> T:
        """Do a piece of work when its turn comes."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _camera(self) -> Camera:
        from deep3d.video.live import LiveFaces

        if self._reconstructor is None:
            start = time.perf_counter()
            self._reconstructor = _loaded(self._settings)
            _log.info("networks loaded after %.1f s", time.perf_counter() - start)
        return Camera(self._reconstructor.face_model.info.sha256, LiveFaces(self._reconstructor))


def _loaded(settings: Settings) -> Reconstructor:
    from deep3d import Reconstructor
    from deep3d.runtime.cores import take_over_process

    take_over_process()
    return Reconstructor.load(
        runtime=settings.runtime, threads=settings.threads or None, refinement="landmarks"
    )  # colours would take longer than a frame
