"""The live process from start to end: it listens until a signal says so, or until whoever started it is gone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from serving.errors import ServingError, SettingsError
from serving.live.engine import Engine, NetworkEngine
from serving.live.server import LiveServer
from serving.logs import configure_logs
from serving.settings import PREFIX, Settings

CLOSE_SECONDS = 5.0  # for visitors to hear that it ends

_log = logging.getLogger(__name__)


def main(engine: Callable[[Settings], Engine] = NetworkEngine) -> None:
    """Run as the environment says."""
    try:
        settings = Settings.from_env(os.environ)
        if not settings.live_port:
            raise SettingsError(f"{PREFIX}LIVE_PORT: give the port of the live process")
        configure_logs(settings.log_level)
        asyncio.run(_serve(settings, engine(settings)))
    except ServingError as error:
        sys.exit(f"deep3d: {error}")


async def _serve(settings: Settings, engine: Engine) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
    try:
        server = await LiveServer(settings, engine).start()
    except OSError as error:
        place = f"{settings.live_host}:{settings.live_port}"
        raise SettingsError(
            f"{place}: cannot be served ({error.strerror}); choose another {PREFIX}LIVE_PORT"
        ) from error
    _log.info("live at port %d", settings.live_port)
    await stop.wait()
    server.close()
    try:
        await asyncio.wait_for(server.wait_closed(), CLOSE_SECONDS)
    except TimeoutError:
        _log.warning("visitors did not go in time")


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """`deep3d serve` holds the other end of our standard input, which closes with it, however it ends."""
    os.read(sys.stdin.fileno(), 1)
    with suppress(RuntimeError):  # it has ended already
        loop.call_soon_threadsafe(stop.set)
