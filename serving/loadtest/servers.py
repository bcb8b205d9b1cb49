"""The servers round a site, each on a free port and in a folder of its own: Redis, PostgreSQL, mail."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.errors import ServingError

if TYPE_CHECKING:
    from serving.loadtest.mail_server import MailServer

PATIENCE_SECONDS = 300  # until something is given up that should be there; nothing is measured by it


class ServerMissing(ServingError):
    """A server that a load test needs is not installed, or does not start."""


class RedisServer:
    """A redis-server without persistence."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._program = _find("redis-server", "redis-server")
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start, knowing nothing."""
        arguments = ["--port", str(self._port), "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen([self._program, *arguments], stdout=subprocess.DEVNULL)
        wait_until(lambda: _listens(self._port), "redis-server")

    def forget(self) -> None:
        """Forget everything, while running."""
        from redis import Redis  # not while `deep3d --help` looks at the commands

        with Redis.from_url(self.url) as client:
            client.flushall()

    def suspend(self) -> None:
        """Take connections, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Answer again."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End as a crash does, and forget everything."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stop, and forget everything."""
        self._process.terminate()
        self._process.wait()


class PostgresServer:
    """A PostgreSQL server; where we are root it runs as the user `postgres`, since it refuses to be root.

    It has a temporary folder of its own, since that user may not look into those of others; `close` removes it.
    """

    def __init__(self) -> None:
        self.home = tempfile.mkdtemp(prefix="deep3d-postgres-")
        self._port = free_port()
        self._databases = 0
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(self.home, "postgres")
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", f"--pgdata={self.home}/cluster")

    def start(self) -> None:
        """Start with what the folder holds."""
        options = f"-c port={self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._control("start", f"--options={options}", "--log=/dev/null")

    def stop(self) -> None:
        """Stop at once, as after a crash."""
        self._control("stop", "--mode=immediate")

    def close(self) -> None:
        """Stop, and leave nothing."""
        self.stop()
        shutil.rmtree(self.home)

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"deep3d{self._databases}"
        self._run("createdb", "--host=127.0.0.1", f"--port={self._port}", "--username=postgres", name)
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def _control(self, action: str, *options: str) -> None:
        where = f"--pgdata={self.home}/cluster"
        self._run("pg_ctl", action, "--wait", f"--timeout={PATIENCE_SECONDS}", where, *options)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, _find(program, "postgresql"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.home)


class Mailbox:
    """A mail server that keeps when which mail came; it may be stopped and started."""

    def __init__(self) -> None:
        self.received: list[tuple[str, float]] = []  # Message-ID, seconds since 1970
        self.answer_seconds = 0.0  # that it takes until it says that it has a mail
        self.answer = "250 OK"
        self._port = free_port()
        self._server: MailServer | None = None
        self.url = f"smtp://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Take mails."""
        try:
            from serving.loadtest.mail_server import MailServer
        except ImportError as error:
            raise ServerMissing("aiosmtpd: not installed; it comes with the extra `dev`") from error
        self._server = MailServer(self, self._port)
        self._server.start()

    def stop(self) -> None:
        """Answer nobody."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        lines = (line.decode() for line in envelope.content.splitlines())
        message_id = next(line for line in lines if line.lower().startswith("message-id:"))
        self.received.append((message_id.partition(":")[2].strip(), time.time()))
        await asyncio.sleep(self.answer_seconds)
        return self.answer


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that other processes do.

    Raises: ServerMissing if it does not come.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise ServerMissing(f"{what}: waited {PATIENCE_SECONDS} s in vain")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _find(program: str, package: str) -> str:
    found = shutil.which(program)
    versions = sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))
    if not found and not versions:
        raise ServerMissing(f"{program}: not installed; it is in the system's package {package}")
    return found or versions[-1]
