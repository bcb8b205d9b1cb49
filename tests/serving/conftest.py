"""A site in a folder, the real servers round it, and workers whose network is made up and quick."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.settings import Settings
from serving.site import Site
from serving.uploads import CleanPhoto

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 300  # seconds until a test that waits for something gives up; nothing is measured by it


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of the embedded mode."""
    return Settings(data_dir=tmp_path / "data", webhook_key="secret")


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """A site on SQLite and a folder."""
    site = Site.open(settings)
    yield site
    site.close()


@pytest.fixture(scope="session")
def photo_bytes() -> bytes:
    """A small JPEG of no face, with metadata."""
    rows, columns = np.mgrid[:60, :80]
    pixels = np.stack([rows * 4, columns * 3, (rows + columns) % 256], axis=2).astype(np.uint8)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.fromarray(pixels).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.fixture(scope="session")
def clean_photo(photo_bytes: bytes) -> CleanPhoto:
    """The same as the site keeps it."""
    return CleanPhoto("anna.jpg", photo_bytes, 80, 60)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of our own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop and start."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def production(settings: Settings, redis_server: RedisServer, postgres_server: PostgresServer) -> Iterator[Site]:
    """A site on PostgreSQL and Redis, empty."""
    url = postgres_server.new_database()
    site = Site.open(replace(settings, database_url=url, broker_url=redis_server.url, worker_timeout=3.0))
    yield site
    site.close()


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that other processes do."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain: {what}"
        time.sleep(0.05)


def environ_of(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of another process of the same site."""
    return {
        **os.environ,
        "DEEP3D_DATA_DIR": str(settings.data_dir),
        "DEEP3D_DATABASE_URL": settings.database_url,
        "DEEP3D_BROKER_URL": settings.broker_url,
        "DEEP3D_SMTP_URL": settings.smtp_url,
        "DEEP3D_WORKER_TIMEOUT": str(settings.worker_timeout),
        "DEEP3D_JOB_SECONDS": str(settings.job_seconds),
        **more,
    }


class WorkerProcess:
    """A worker whose network is that of quick_worker.py."""

    def __init__(self, settings: Settings, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("quick_worker.py"))],
            env=environ_of(settings, **environ),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
        )

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        self.process.terminate()
        self.process.communicate()
        return self.process.returncode


class RedisServer:
    """A redis-server without persistence, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        arguments = ["--port", str(self._port), "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        wait_until(lambda: _listens(self._port), "redis-server")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class PostgresServer:
    """A PostgreSQL server in a folder; as root it runs as the user `postgres`, since it refuses to be root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster"
        self._port = free_port()
        self._databases = 0
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            for parent in (folder, *folder.parents[:2]):
                parent.chmod(0o755)
            shutil.chown(folder, "postgres")
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--pgdata", str(self._folder))

    def start(self) -> None:
        options = f"-c port={self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            "--timeout=300",
            "--pgdata",
            str(self._folder),
            "--options",
            options,
            "--log=/dev/null",
        )

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate", "--wait", "--timeout=300", "--pgdata", str(self._folder))

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"deep3d{self._databases}"
        self._run("createdb", "--host=127.0.0.1", f"--port={self._port}", "--username=postgres", name)
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        found = shutil.which(program) or max(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))
        subprocess.run(
            [*self._as_user, found, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self._folder.parent
        )


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
