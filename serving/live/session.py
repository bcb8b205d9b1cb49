"""One visitor: frames come, the newest is worked on, its answer goes. No frame waits behind another; none is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from serving.live.engine import Engine, Follow
from serving.live.protocol import NOBODY, Frame, GarbageError, answer, decode, head_of, read_frame

MOST_A_SECOND = 60.0  # frames that a page may send, on average
AT_ONCE = 120.0  # and after a pause
IDLE_SECONDS = 60.0  # without a frame, after which a session ends
LONGEST_SECONDS = 1800.0  # of a session: others may want it
LATEST_SECONDS = 60.0  # that a frame's time may be away from ours: a page that was asleep begins anew


class Close(IntEnum):
    """Why a connection ends: codes of RFC 6455 where it has them."""

    DONE = 1000
    GARBAGE = 1003
    FLOOD = 1008
    BROKEN = 1011
    BUSY = 1013
    IDLE = 4000
    TIME_IS_UP = 4001


class SessionEnd(Exception):
    """The session is over, with the code and the reason that the page is told."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass
class Allowance:
    """A bucket of tokens: so many messages at once, and so many a second after that."""

    rate: float = MOST_A_SECOND
    most: float = AT_ONCE
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._left, self._since = self.most, self.clock()

    def take(self) -> bool:
        """Whether one more may come."""
        now = self.clock()
        self._left = min(self.most, self._left + self.rate * (now - self._since))
        self._since = now
        self._left -= 1
        return self._left >= 0


class Session:
    """Works on the frames of one connection until it ends."""

    def __init__(self, connection: ServerConnection, engine: Engine, follow: Follow) -> None:
        self._connection, self._engine, self._follow = connection, engine, follow
        self._newest: Frame | None = None
        self._came = asyncio.Event()
        self._told = NOBODY  # the head of the last answer
        self._time = 0.0  # of the last frame

    async def run(self) -> None:
        """Until the page goes.

        Raises: SessionEnd if it is we who end it.
        """
        reading, working = asyncio.create_task(self._read()), asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                done, _ = await asyncio.wait({reading, working}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise SessionEnd(Close.TIME_IS_UP, "half an hour is over; start again") from None
        finally:
            for task in (reading, working):
                task.cancel()
            await asyncio.gather(reading, working, return_exceptions=True)
        for task in done:
            task.result()

    async def _read(self) -> None:
        """Take frames as they come; a newer one takes the place of one that nobody has begun with."""
        allowance = Allowance()
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    message = await self._connection.recv()
            except TimeoutError:
                raise SessionEnd(Close.IDLE, "no frames for a minute") from None
            except ConnectionClosed:
                return
            if not allowance.take():
                raise SessionEnd(Close.FLOOD, f"more than {MOST_A_SECOND:.0f} frames a second")
            try:
                self._newest = read_frame(message)
            except GarbageError as error:
                raise SessionEnd(Close.GARBAGE, str(error)) from None
            self._came.set()

    async def _work(self) -> None:
        """Answer the newest frame, again and again."""
        while True:
            await self._came.wait()
            self._came.clear()
            frame, self._newest = self._newest, None
            if frame is None:
                continue
            try:
                content = await self._engine.run(lambda frame=frame: self._answer(frame))
            except GarbageError as error:
                raise SessionEnd(Close.GARBAGE, str(error)) from None
            try:
                await self._connection.send(content)
            except ConnectionClosed:
                return

    def _answer(self, frame: Frame) -> bytes:
        """What a frame shows; in the thread of the networks."""
        pixels = decode(frame)
        step = frame.time - self._time
        self._time = frame.time if 0 < step < LATEST_SECONDS else self._time + 1e-3  # time grows, whatever a page says
        faces = self._follow(pixels, self._time)
        face = faces[0] if faces else None
        content = answer(frame.number, face, self._told)
        self._told = head_of(face)
        return content
