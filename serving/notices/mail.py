"""Mails: plain text, HTML and a picture of the face, in the language of the person, by SMTP or into a folder."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from babel.dates import format_date
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from serving.errors import SettingsError
from serving.jobs import reasons
from serving.jobs.recipients import Recipient
from serving.language import N_, translations
from serving.pictures import views
from serving.settings import Settings
from serving.site import Site
from serving.store.tables import Job, Notice, Status

TIMEOUT_SECONDS = 15  # of each step of the conversation with a mail server
TAKING_SECONDS = 45  # that a server may need to take a mail: whoever hangs up earlier sends it twice
_TAKEN = 250
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}

SUBJECTS = {Status.DONE: N_("Your 3D face is ready"), Status.FAILED: N_("We could not make a 3D face from your photo")}


def send(
    site: Site, job: Job, notice: Notice, recipient: Recipient, handing_over: AbstractContextManager[None]
) -> None:
    """Send the mail about the end of a job; `handing_over` is entered just before a server gets it, and left without an
    error as soon as the server has it.

    Raises: OSError, smtplib.SMTPException, StorageError, and what `handing_over` raises.
    """
    message = compose(site, job, notice, recipient)
    if not site.settings.smtp_url:
        with handing_over:
            site.settings.mail_dir.mkdir(parents=True, exist_ok=True)
            _path(site, job, notice).write_bytes(bytes(message))
        return
    with connect(site.settings, handing_over) as server:
        server.send_message(message)


def take_back(site: Site, job: Job, notice: Notice) -> None:
    """Remove a mail that lies in a folder; one that a server has is gone."""
    _path(site, job, notice).unlink(missing_ok=True)


def _path(site: Site, job: Job, notice: Notice) -> Path:
    return site.settings.mail_dir / f"{job.id}-{notice.id}.eml"


def compose(site: Site, job: Job, notice: Notice, recipient: Recipient) -> EmailMessage:
    """The mail about the end of a job; its Message-ID is the same at every attempt."""
    settings, words = site.settings, translations(job.language)
    done = job.status == Status.DONE
    values = {
        "_": words.gettext,
        "done": done,
        "error": reasons.without_names(job, words.gettext),
        "link": f"{settings.base_url.rstrip('/')}/jobs/{recipient.secret}",
        "expires": format_date(datetime.fromtimestamp(job.expires_at, UTC), "long", locale=job.language),
        "language": job.language,
        "subject": words.gettext(SUBJECTS[Status(job.status)]),
    }
    host = urlsplit(settings.base_url).hostname or "localhost"
    message = EmailMessage()
    message["Subject"] = values["subject"]
    message["From"] = settings.mail_from
    message["To"] = Address(addr_spec=recipient.address)
    message["Date"] = format_datetime(datetime.fromtimestamp(job.finished_at or job.created_at, UTC))
    message["Message-ID"] = f"<deep3d.{notice.id}.{job.digest[:16]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = job.language
    message.set_content(_templates().get_template("mail.txt").render(values))
    message.add_alternative(_templates().get_template("mail.html").render(values), subtype="html")
    if done:
        picture = views.front(site.storage, job.faces[0].folder)
        html = list(message.iter_parts())[1]
        assert isinstance(html, EmailMessage)
        html.add_related(picture, "image", "jpeg", cid="<face>", filename="face.jpg")
    return message


class _Smtp(smtplib.SMTP):
    """A conversation with a mail server; `handing_over` lasts from when it has taken sender and recipient to when it
    says that it has the mail.
    """

    handing_over: AbstractContextManager[None]

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Give the mail to the server."""
        with self.handing_over:
            if self.sock is not None:
                self.sock.settimeout(TAKING_SECONDS)
            code, answer = super().data(msg)
            if code != _TAKEN:
                raise smtplib.SMTPDataError(code, answer)
        return code, answer


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    """The same over TLS."""


@contextmanager
def connect(settings: Settings, handing_over: AbstractContextManager[None] | None = None) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server of the settings, signed in; `handing_over` lasts while a mail goes."""
    url = urlsplit(settings.smtp_url)
    if url.hostname is None:
        raise SettingsError("DEEP3D_SMTP_URL: names no host; give smtp+starttls://user:password@host")
    port = url.port or _PORTS[url.scheme]
    # The certificates of all authorities take 20 ms to read: only where they are asked for.
    context = ssl.create_default_context() if url.scheme != "smtp" else None
    if url.scheme == "smtps":
        server = _SmtpOverTls(url.hostname, port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = _Smtp(url.hostname, port, timeout=TIMEOUT_SECONDS)
    server.handing_over = handing_over or nullcontext()
    try:
        if url.scheme == "smtp+starttls":
            server.starttls(context=context)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server
        with suppress(OSError, smtplib.SMTPException):  # the mail is theirs, however they say good-bye
            server.quit()
    finally:
        server.close()


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("serving"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
