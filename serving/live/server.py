"""The server of the live process: who may come, how many at a time, and how they are sent away."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from serving.live.engine import Engine
from serving.live.protocol import MOST_BYTES, SUBPROTOCOL
from serving.live.session import Close, Session, SessionEnd
from serving.settings import LIVE_PATH, Settings

MOST_WAITING = 4  # frames that have come and are not looked at yet, of each connection
HANDSHAKE_SECONDS = 10.0
PING_SECONDS = 20.0  # between questions whether a page is still there, and until it has to answer

_log = logging.getLogger(__name__)


class LiveServer:
    """Answers pages; each holds one of a few places while its camera runs."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._present = 0

    async def start(self) -> Server:
        """Listen.

        Raises: OSError if the port is taken.
        """
        return await serve(
            self._welcome,
            self._settings.live_host,
            self._settings.live_port,
            process_request=self._admit,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,  # pictures are compressed, and answers are smaller than its tables
            max_size=MOST_BYTES,
            max_queue=MOST_WAITING,
            open_timeout=HANDSHAKE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            server_header=None,
            logger=logging.getLogger("websockets"),
        )

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the handshake what is no page of ours."""
        if request.path == "/healthz":
            return connection.respond(HTTPStatus.OK, "ok\n")
        if request.path != LIVE_PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "nothing here\n")
        origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
        if not own_page(origin, host, self._settings.base_url):
            return connection.respond(HTTPStatus.FORBIDDEN, "pages of other sites may not\n")
        return None

    async def _welcome(self, connection: ServerConnection) -> None:
        """One visitor, from the handshake to the end."""
        if self._present >= self._settings.live_sessions:
            await connection.close(Close.BUSY, "all places are taken")
            return
        self._present += 1
        try:
            camera = await self._engine.begin()
            await connection.send(json.dumps({"model": camera.model}))
            await Session(connection, self._engine, camera.follow).run()
        except SessionEnd as end:
            await connection.close(end.code, end.reason)
        except Exception:
            _log.exception("a session failed")
            await connection.close(Close.BROKEN, "something went wrong here")
        finally:
            self._present -= 1


def own_page(origin: str | None, host: str, base_url: str) -> bool:
    """Whether a browser says that a page of this site asks; programs say nothing, and nothing is kept from them.

    The page comes through the web process: from the same host, and from the port of the site's own address.
    """
    if origin is None:
        return True
    asking, asked, site = urlsplit(origin), urlsplit(f"//{host}"), urlsplit(base_url)
    try:
        same_host = bool(asking.hostname) and asking.hostname == asked.hostname
        return origin == f"{site.scheme}://{site.netloc}" or (
            same_host and (asking.netloc == host or asking.port == site.port)
        )
    except ValueError:  # a port that is none
        return False
