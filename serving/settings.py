"""The settings of the site: environment variables `DEEP3D_*`, read once, validated; docs/site.md tells of each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from serving.errors import SettingsError

PREFIX = "DEEP3D_"
DAY = 86400.0  # seconds
LIVE_PATH = "/live/socket"  # of the live process, where a page sends its frames


@dataclass(frozen=True)
class Settings:
    """Everything that differs between one site and another. Without any variable it is the embedded mode."""

    data_dir: Path = Path("data")  # database, files and mail of the embedded mode
    database_url: str = ""  # SQLAlchemy; empty: SQLite in data_dir
    broker_url: str = ""  # redis://...; empty: inside the one worker process
    storage_url: str = ""  # fsspec; empty: a folder in data_dir
    smtp_url: str = ""  # smtp://, smtp+starttls:// or smtps://; empty: .eml files in data_dir
    limits_url: str = ""  # where submissions are counted; empty: the broker, or memory
    base_url: str = "http://127.0.0.1:8000"  # in links of mails
    mail_from: str = "deep3d <deep3d@localhost>"
    secret_key: str = ""  # signs cookies, seals addresses; empty: made once and kept in data_dir
    webhook_key: str = ""  # signs webhooks; empty: none are taken
    admin_password: str = ""  # empty: no admin page
    anonymous: bool = True  # whether people without an API key may submit
    cors_origins: str = ""  # pages of other sites that may call the interface, separated by commas; * for all
    proxies: int = 0  # reverse proxies in front, whose X-Forwarded-* headers count

    keep_days: float = 30.0  # until a job and all its files are removed
    max_photo_mb: float = 25.0
    max_photo_megapixels: float = 64.0
    max_photos: int = 10  # in one job
    max_faces: int = 20  # in one job, of all its photos together, where all faces are wanted
    max_upload_mb: float = 60.0  # of one job
    max_queue: int = 500  # jobs that may wait
    submits_per_minute: int = 120  # of one address: 20 people may share it
    mails_per_hour: int = 20  # to one mailbox, whoever sends the photos

    runtime: str = ""  # what runs the network, as for `deep3d reconstruct`; empty for the fastest that is there
    threads: int = 0  # of the network; 0: half of the usable cores in a worker, all in the live process
    batch_photos: int = 4  # through the network together
    worker_threads: int = 16  # jobs that one worker process holds at a time
    job_seconds: float = 120.0  # of work on one job; a worker that is longer at a single step of one kills itself
    worker_timeout: float = 10.0  # seconds without a heartbeat until a worker counts as dead
    metrics_port: int = 0  # of each worker process; 0: none
    metrics_host: str = "127.0.0.1"  # where that port listens: the figures are for operators
    log_level: str = "INFO"

    live_port: int = 0  # of the live process; 0: none. `deep3d serve` takes the port after its own
    live_host: str = "127.0.0.1"  # where the live process listens
    live_url: str = (
        ""  # where browsers reach it: a path behind the proxy, or ws(s)://...; empty: live_port of this host
    )
    live_sessions: int = 4  # visitors whose cameras run at a time; more are told to come later

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of an environment.

        Raises: SettingsError.
        """
        known = {PREFIX + field.name.upper(): field for field in fields(cls)}
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise SettingsError(f"{unknown[0]}: no such setting; docs/site.md lists them")
        values = {
            field.name: _parse(name, environ[name], type(field.default))
            for name, field in known.items()
            if environ.get(name, "") != ""
        }
        settings = cls(**values)
        settings._check()
        return settings

    @property
    def live(self) -> bool:
        """Whether the site has a live page."""
        return bool(self.live_url or self.live_port)

    @property
    def embedded(self) -> bool:
        """Whether the broker lives inside the one worker process."""
        return not self.broker_url

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'deep3d.sqlite'}"

    def has_database(self) -> bool:
        """Whether the database is there, as far as one can tell without asking a server."""
        scheme, _, path = self.database.partition(":///")
        return scheme != "sqlite" or Path(path).exists()

    def require_database(self) -> None:
        """For commands that work on a site that is there already, and shall not begin another one.

        Raises: SettingsError.
        """
        if not self.has_database():
            place = Path(self.database.partition(":///")[2]).parent
            raise SettingsError(
                f"{PREFIX}DATA_DIR: {place} holds no site; name its folder, or start it first with `deep3d serve`"
            )

    @property
    def storage(self) -> str:
        """The URL of the folder of all files."""
        return self.storage_url or f"file://{self.data_dir.absolute() / 'files'}"

    @property
    def mail_dir(self) -> Path:
        """Where mails go while there is no SMTP server."""
        return self.data_dir / "mail"

    @property
    def limits(self) -> str:
        """Where submissions are counted."""
        return self.limits_url or self.broker_url or "memory://"

    def site_key(self) -> str:
        """The key that signs cookies and seals addresses; made and kept when none is set.

        Raises: SettingsError.
        """
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                new = path.with_suffix(f".{secrets.token_hex(4)}")
                new.touch(mode=0o600)
                new.write_text(secrets.token_urlsafe(32), encoding="ascii")
                with suppress(FileExistsError):
                    path.hardlink_to(new)  # of two processes that start together the first one's stays
                new.unlink()
            return path.read_text(encoding="ascii")
        except OSError as error:
            raise SettingsError(
                f"{PREFIX}DATA_DIR: {path} cannot be written ({error.strerror}); choose another folder"
            ) from error

    def _check(self) -> None:
        _require_url("BASE_URL", self.base_url, ("http", "https"))
        _require_url("BROKER_URL", self.broker_url, ("redis", "rediss", "unix"))
        _require_url("SMTP_URL", self.smtp_url, ("smtp", "smtp+starttls", "smtps"))
        if "@" not in parseaddr(self.mail_from)[1]:
            raise SettingsError(f"{PREFIX}MAIL_FROM: {self.mail_from!r} is not an email address; give name@host")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise SettingsError(f"{PREFIX}{name.upper()}: {getattr(self, name)} is too small; give more than 0")
        if self.broker_url and self.database.startswith("sqlite"):
            raise SettingsError(
                f"{PREFIX}BROKER_URL: several workers need a database that they share; set {PREFIX}DATABASE_URL too"
            )
        if self.proxies < 0 or self.threads < 0 or not 0 <= self.metrics_port < 65536:
            raise SettingsError(f"{PREFIX}PROXIES, {PREFIX}THREADS, {PREFIX}METRICS_PORT: give 0 or more")
        if not 0 <= self.live_port < 65536:
            raise SettingsError(f"{PREFIX}LIVE_PORT: {self.live_port} is not a port; give 1 to 65535, or 0 for none")
        if not self.live_url.startswith("/"):
            _require_url("LIVE_URL", self.live_url, ("ws", "wss"))
        if self.log_level not in _LEVELS:
            raise SettingsError(f"{PREFIX}LOG_LEVEL: {self.log_level!r} is none of {', '.join(_LEVELS)}")


_POSITIVE = (
    "keep_days max_photo_mb max_photo_megapixels max_photos max_faces max_upload_mb max_queue submits_per_minute "
    "mails_per_hour batch_photos worker_threads job_seconds worker_timeout live_sessions"
).split()
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in _SWITCH:
            raise SettingsError(f"{name}: {text!r} is neither yes nor no")
        return _SWITCH[text.lower()]
    convert: Callable[[str], Any] = kind if kind in (int, float, str) else Path
    try:
        return convert(text)
    except ValueError:
        raise SettingsError(f"{name}: {text!r} is not a number") from None


def _require_url(name: str, text: str, schemes: tuple[str, ...]) -> None:
    if text and urlsplit(text).scheme not in schemes:
        raise SettingsError(f"{PREFIX}{name}: give a URL that begins with {', '.join(f'{one}://' for one in schemes)}")
