"""The embedded mode: web server in this process, worker and live process beside it, started again when they die."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge

from serving.app import create_app, start_processes
from serving.errors import SettingsError
from serving.logs import configure_logs
from serving.settings import PREFIX, Settings
from serving.store.storage import keep_files_private

WORKER = ("-m", "serving.worker")  # what Python runs
LIVE = ("-m", "serving.live")
THREADS = 128  # of the web server: more than all requests together that wait for something, so that the others never do
MOST_CONNECTIONS = 1000
SLOW_SECONDS = 60  # of silence, after which a connection is closed
RESTART_SECONDS = 1.0
LONGEST_RESTART_SECONDS = 30.0
WORKER_STOP_SECONDS = 70

_log = logging.getLogger(__name__)


def serve(
    host: str,
    port: int,
    ready: Callable[[str], None],
    worker: Sequence[str] = WORKER,
    live: Sequence[str] = LIVE,
) -> None:
    """Serve the site until a signal ends it; `ready` is told the address once it answers.

    `worker` and `live` are what Python runs as the worker and as the live process.

    Raises: SettingsError.
    """
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    environ = {
        PREFIX + "BASE_URL": f"http://{shown}:{port}",
        PREFIX + "LIVE_PORT": str(port + 1 if port < 65535 else 0),
        PREFIX + "LIVE_HOST": host,
        **os.environ,
    }
    settings = Settings.from_env(environ)
    keep_files_private(settings.data_dir)
    configure_logs(settings.log_level)
    app = create_app(settings)
    start_processes(app)
    server = listening(app, settings, host, port)
    processes = [_Process("worker", [sys.executable, *worker], environ)]
    if settings.live_port:
        processes.append(_Process("live process", [sys.executable, *live], environ))
    for process in processes:
        process.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ready(settings.base_url)
    try:
        server.run()  # until SIGINT or SIGTERM
    finally:
        server.close()
        for process in processes:
            process.stop()


def listening(app: Flask, settings: Settings, host: str, port: int) -> Any:
    """The web server of an application, which does not run yet.

    Raises: SettingsError if the port is taken.
    """
    try:
        server = create_server(
            app,
            host=host,
            port=port,
            threads=THREADS,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=SLOW_SECONDS,
            max_request_body_size=int(settings.max_upload_mb * 1e6) + 1_000_000,
            asyncore_use_poll=True,  # select() ends at 1024 connections
            ident="deep3d",
        )
    except OSError as error:
        raise SettingsError(f"{host}:{port}: cannot be served ({error.strerror}); choose another --port") from error
    listeners: tuple[Any, ...] = (server, *getattr(server, "map", {}).values())  # a name may have several addresses
    for listener in listeners:
        listener.channel_class = _Channel
    return server


class _Refusal(ErrorTask, WSGITask):
    """The answer to a request that the server itself cannot take; of too large ones the site tells in its own words."""

    def execute(self) -> None:
        """Answer, and hang up: what follows of a body that nobody reads is no request."""
        request: Any = self.request
        if not isinstance(request.error, RequestEntityTooLarge) or request.chunked:
            return super().execute()
        self.complete = False
        self.set_close_on_finish()
        WSGITask.execute(self)


class _Channel(HTTPChannel):
    """A connection."""

    error_task_class = _Refusal


class _Process:
    """A process beside this one, and the thread that starts it again."""

    def __init__(self, name: str, command: Sequence[str], environ: dict[str, str]) -> None:
        self._name = name
        self._command = command
        self._environ = environ
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name=f"{name} supervisor", daemon=True)

    def start(self) -> None:
        """Start it, and keep it running."""
        self._thread.start()

    def stop(self) -> None:
        """Let it finish what it holds."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(WORKER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # what it holds is taken over at the next start
        self._thread.join()

    def _keep_running(self) -> None:
        pause = RESTART_SECONDS
        while not self._stopping.is_set():
            with subprocess.Popen(
                self._command,
                env=self._environ,
                stdin=subprocess.PIPE,  # closed with this process, however it ends: then the worker ends too
            ) as self._process:
                if self._stopping.is_set():
                    self._process.terminate()
                code = self._process.wait()
            if self._stopping.is_set():
                return
            _log.error("the %s ended with code %d, the next one starts in %.0f s", self._name, code, pause)
            self._stopping.wait(pause)
            pause = RESTART_SECONDS if code < 0 else min(2 * pause, LONGEST_RESTART_SECONDS)  # killed, or cannot work
