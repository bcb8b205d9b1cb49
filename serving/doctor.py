"""`deep3d doctor`: checks whether this installation can serve, and says how to fix what is wrong."""

from __future__ import annotations

import os
import shutil
import smtplib
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from PIL import ImageFont
from sqlalchemy import text

from deep3d.files.whole_file import kept_if_used
from serving.errors import ServingError
from serving.notices.mail import connect
from serving.settings import Settings
from serving.store.database import Database
from serving.store.storage import PROBES, Storage

LEAST_FREE_GB = 2.0
PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    what: str
    good: bool
    said: str  # what is there, or what is wrong and what to do


def examine(settings: Settings, port: int) -> Iterator[Finding]:
    """Check all parts, one after another; leaves nothing behind."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("network", _network),
        ("number kernels", _kernels),
        ("font", _font),
        ("data folder", lambda: _folder(settings.data_dir)),
        ("scratch folder", lambda: _folder(Path(tempfile.gettempdir()))),
        ("database", lambda: _database(settings)),
        ("files", lambda: _files(settings)),
        ("queue", lambda: _queue(settings)),
        ("mail", lambda: _mail(settings)),
        ("port", lambda: _port(port, "--port")),
    ]
    live = settings.live_port or (port + 1 if settings.embedded else 0)  # that `deep3d serve` takes by itself
    if live:
        checks.append(("port of the live page", lambda: _port(live, "DEEP3D_LIVE_PORT")))
    for what, check in checks:
        try:
            yield Finding(what, True, check())
        except Exception as error:  # each part has its own kinds
            line = str(error).strip().splitlines()
            yield Finding(what, False, line[0] if line else type(error).__name__)


def _network() -> str:
    from deep3d.runtime import available_runtimes

    runtimes = available_runtimes()
    if not runtimes:
        raise ServingError("no runtime is installed; pip install 'deep3d[openvino]'")
    return ", ".join(runtimes)


def _kernels() -> str:
    import deep3d

    chosen, package = os.environ.get("NUMBA_CACHE_DIR"), Path(deep3d.__file__).parent
    if chosen:
        return _folder(Path(chosen))
    return f"kept in {package}" if os.access(package, os.W_OK) else "kept in the user's cache folder"


def _font() -> str:
    try:
        font = ImageFont.load_default(20)
    except ImportError as error:
        raise ServingError(
            "Pillow has no FreeType to write legends with; pip install --force-reinstall Pillow"
        ) from error
    return f"{font.getname()[0]}, of Pillow" if isinstance(font, ImageFont.FreeTypeFont) else "of Pillow"


def _folder(folder: Path) -> str:
    try:
        with kept_if_used(folder):
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"deep3d")
            free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        raise ServingError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    if free < LEAST_FREE_GB:
        raise ServingError(f"{folder}: only {free:.1f} GB are free; make room, or choose another folder")
    return f"{folder.absolute()}, {free:.0f} GB free"


def _database(settings: Settings) -> str:
    url = settings.database
    if not settings.has_database():
        return "sqlite, which the first start makes"
    database = Database(url)
    try:
        with database.reading() as session:
            session.execute(text("SELECT 1"))
    finally:
        database.close()
    return url.partition(":")[0]


def _files(settings: Settings) -> str:
    scheme, _, path = settings.storage.partition("://")
    with kept_if_used(Path(path) / PROBES) if scheme == "file" else nullcontext():
        Storage(settings.storage).check()
    return scheme


def _queue(settings: Settings) -> str:
    if settings.embedded:
        return "inside the one worker"
    import redis

    server = redis.Redis.from_url(settings.broker_url, socket_timeout=PATIENCE_SECONDS)
    policy = server.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        raise ServingError(f"Redis evicts messages ({policy}); start it with --maxmemory-policy noeviction")
    return f"Redis {server.info('server')['redis_version']}"


def _mail(settings: Settings) -> str:
    if not settings.smtp_url:
        return f"kept as files in {settings.mail_dir}"
    try:
        with connect(settings) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        raise ServingError(f"{urlsplit(settings.smtp_url).hostname}: {error}; check DEEP3D_SMTP_URL") from error
    return str(urlsplit(settings.smtp_url).hostname)


def _port(port: int, setting: str) -> str:
    with socket.socket() as probe:
        probe.settimeout(PATIENCE_SECONDS)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return f"{port} is in use: the site is running, or choose another {setting}"
    return f"{port} is free"
