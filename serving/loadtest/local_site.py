"""A site on this machine for one load test: its processes, the servers round them, and what they take of the memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path

from serving.client import Client
from serving.errors import ServingError
from serving.loadtest import processes
from serving.loadtest.servers import Mailbox, PostgresServer, RedisServer, free_port, wait_until
from serving.loadtest.worker_process import WorkerProcess
from serving.settings import PREFIX, Settings
from serving.site import Site

SERVE = (sys.executable, "-m", "deep3d", "serve")
WORK = (sys.executable, "-m", "dramatiq", "serving.worker:setup", "--processes", "1", "--threads", "16")
CONFINED = (b"serving.jobs.decoder", b"serving.pictures.drawer")  # processes of the web's
STOP_SECONDS = 90
SAMPLE_SECONDS = 0.5  # between two looks at the memory


class LocalSite:
    """A site that runs, and a mailbox for its mails. `site` looks at its database and files from here."""

    def __init__(self, settings: Settings, address: str, mailbox: Mailbox, web: subprocess.Popen[bytes]) -> None:
        self.settings = settings
        self.address = address
        self.mailbox = mailbox
        self.site = Site.open(settings)
        self._web = web

    def client(self, connections: int = 8) -> Client:
        """A program that talks to it."""
        return Client(self.address, connections=connections)

    def wait_until_ready(self) -> None:
        """Wait until photos can be taken and worked on."""
        client = self.client()
        wait_until(lambda: _ready(client), f"{self.address}/readyz")

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of its web processes and of its workers, together each."""
        return {"web": processes.resident_mb([self._web.pid, *processes.descendants(self._web.pid)])}


class EmbeddedSite(LocalSite):
    """The embedded mode: `deep3d serve`, with everything in one folder."""

    def memory_mb(self) -> dict[str, float]:
        """That of `deep3d serve` with its confined processes, and of the worker beside it."""
        return {"web": processes.resident_mb(self._web_pids()), "worker": processes.resident_mb(self._worker_pids())}

    def worker_pid(self) -> int:
        """The worker process at the moment."""
        wait_until(self._worker_pids, "a worker process")
        return self._worker_pids()[0]

    def web_cpu_seconds(self) -> float:
        """Processor time that `deep3d serve` and its confined processes have had, those that ended included."""
        ended = processes.cpu_seconds(self._web.pid, ended_children=True)
        return ended + sum(processes.cpu_seconds(pid) for pid in self._web_pids()[1:])

    def worker_cpu_seconds(self) -> float:
        """Processor time that the worker has had."""
        return sum(processes.cpu_seconds(pid) for pid in self._worker_pids())

    def web_peak_mb(self) -> float:
        """The most memory that one of them has had since `forget_peaks`."""
        return max(processes.peak_mb(pid) for pid in self._web_pids())

    def forget_peaks(self) -> None:
        """Let the peaks of their memory begin anew."""
        for pid in self._web_pids():
            processes.forget_peak(pid)

    def _worker_pids(self) -> list[int]:
        web = self._web_pids()
        return [pid for pid in processes.descendants(self._web.pid) if pid not in web]

    def _web_pids(self) -> list[int]:
        confined = [pid for pid in processes.descendants(self._web.pid) if processes.runs(pid, CONFINED)]
        return [self._web.pid, *confined]


class ProductionSite(LocalSite):
    """gunicorn, PostgreSQL, Redis, and workers that can be killed."""

    def __init__(
        self,
        settings: Settings,
        mailbox: Mailbox,
        web: subprocess.Popen[bytes],
        servers: tuple[RedisServer, PostgresServer],
        work: Sequence[Sequence[str]],
    ) -> None:
        super().__init__(settings, settings.base_url, mailbox, web)
        self.redis, self.postgres = servers
        environ = _environ(settings)
        logs = [settings.data_dir / f"worker-{number}.log" for number in range(len(work))]
        self.workers = [WorkerProcess(command, environ, log) for command, log in zip(work, logs, strict=True)]

    def stop_workers(self) -> None:
        """End the workers as an operator does."""
        for worker in self.workers:
            worker.stop()

    def memory_mb(self) -> dict[str, float]:
        """That of gunicorn, and of the workers."""
        pids = [pid for worker in self.workers for pid in worker.pids()]
        return {**super().memory_mb(), "worker": processes.resident_mb(pids)}


@contextmanager
def embedded_site(folder: Path, serve: Sequence[str] = SERVE, **settings: object) -> Iterator[EmbeddedSite]:
    """A site of the embedded mode in a folder, with mails to a mailbox, ready to work.

    Raises: ServerMissing.
    """
    with ExitStack() as stack:
        mailbox = _mailbox(stack)
        port = free_port()
        chosen = _settings(folder, mailbox, port, settings)
        web = _start([*serve, "--port", str(port)], chosen, folder / "site.log")
        stack.callback(_stop, web)
        local = EmbeddedSite(chosen, chosen.base_url, mailbox, web)
        stack.callback(local.site.close)
        local.wait_until_ready()
        yield local


@contextmanager
def production_site(folder: Path, *work: Sequence[str], **settings: object) -> Iterator[ProductionSite]:
    """A site on PostgreSQL and Redis, with mails to a mailbox, ready to work; a worker of each of the commands `work`.

    Raises: ServerMissing.
    """
    with ExitStack() as stack:
        mailbox = _mailbox(stack)
        redis, postgres = RedisServer(folder / "redis"), PostgresServer()
        redis.start()
        stack.callback(redis.stop)
        postgres.start()
        stack.callback(postgres.close)
        port = free_port()
        servers = {"database_url": postgres.new_database(), "broker_url": redis.url}
        chosen = _settings(folder / "data", mailbox, port, {**servers, **settings})
        chosen.data_dir.mkdir()
        gunicorn = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "128"]
        bound = [*gunicorn, "--bind", f"127.0.0.1:{port}", "serving.app:create_app_from_environment()"]
        web = _start(bound, chosen, folder / "web.log")
        stack.callback(_stop, web)
        local = ProductionSite(chosen, mailbox, web, (redis, postgres), work or [WORK])
        stack.callback(local.site.close)
        stack.callback(local.stop_workers)
        local.wait_until_ready()
        yield local


class MemoryWatch:
    """Looks at the memory of a site's processes while a block runs.

    with MemoryWatch(local) as watch: ...
    watch.most_mb("worker"), watch.by_minute("worker")
    """

    def __init__(self, local: LocalSite) -> None:
        self._local = local
        self._samples: list[tuple[float, dict[str, float]]] = []  # seconds since the start, megabytes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def most_mb(self, who: str) -> float:
        """The most that `web` or `worker` had."""
        return max(memory[who] for _, memory in self._samples)

    def by_minute(self, who: str) -> list[int]:
        """Megabytes in the middle of each minute."""
        minutes = range(int(self._samples[-1][0] // 60) + 1)
        middles = [min(self._samples, key=lambda each: abs(each[0] - 60 * minute - 30)) for minute in minutes]
        return [round(memory[who]) for _, memory in middles]

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS) or not self._samples:
            self._samples.append((time.monotonic() - self._start, self._local.memory_mb()))


def _mailbox(stack: ExitStack) -> Mailbox:
    mailbox = Mailbox()
    mailbox.start()
    stack.callback(mailbox.stop)
    return mailbox


def _settings(folder: Path, mailbox: Mailbox, port: int, more: dict[str, object]) -> Settings:
    """Nobody who tests is kept out for being too quick."""
    chosen = Settings(
        data_dir=folder,
        smtp_url=mailbox.url,
        base_url=f"http://127.0.0.1:{port}",
        submits_per_minute=1_000_000,
        mails_per_hour=1_000_000,
    )
    return replace(chosen, **more)


def _environ(settings: Settings) -> dict[str, str]:
    told = {PREFIX + field.name.upper(): getattr(settings, field.name) for field in fields(settings)}
    return {**os.environ, **{name: str(value) for name, value in told.items()}}


def _start(command: Sequence[str], settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(command, env=_environ(settings), stdin=subprocess.PIPE, stdout=file, stderr=file)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _ready(client: Client) -> bool:
    try:
        return client.request("GET", "/readyz").status == 200
    except ServingError:
        return False
