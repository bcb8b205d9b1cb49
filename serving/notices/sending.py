"""Notices about the end of a job: taken from the table one by one, sent, and marked; nothing is lost while a server is
away.

Before a server gets a notice, the row says so, and others then leave it alone for longer than any server takes to
answer (recovery.UNSURE_SECONDS). When the server says that it has the notice, a receipt is kept on the worker's disk,
and then the row says that too. Whoever sends next notes the receipts that are left, of a worker that was killed, was
suspended, or could not reach the database. So a notice is doubled only if its worker dies while the server answers.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, case, exists, update
from sqlalchemy.exc import DBAPIError

from serving.errors import AddressRefused, StorageError
from serving.jobs import lookup
from serving.jobs.recipients import Recipient
from serving.jobs.recovery import not_on_its_way
from serving.notices import mail, webhook
from serving.notices.pauses import HostPauses
from serving.settings import DAY
from serving.site import Site
from serving.store.claims import claim_next
from serving.store.clock import now, read_clock
from serving.store.receipts import Receipts
from serving.store.tables import Job, Notice, Status

SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 60.0  # seconds until a notice is tried again
GIVE_UP_SECONDS = 3 * DAY
_REFUSED_FOR_GOOD = range(550, 560)  # what an SMTP server answers for addresses that it does not take

_log = logging.getLogger(__name__)


class _TakenAwayError(Exception):
    """Another worker has the notice, or its job has been deleted."""


class _HostPausedError(Exception):
    """The host is left alone for so many seconds more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def send_next(site: Site, worker_id: str, *which: ColumnElement[bool], pauses: HostPauses | None = None) -> str:
    """Send one notice that is due, of those that meet the conditions: `sent`, `later` or `given up`; empty if there is
    none. A host of webhooks that has failed is left alone while `pauses` says so.

    Raises: DBAPIError; if the notice was sent, the next call notes it.
    """
    receipts = Receipts(site.settings.data_dir)
    for digest, number in receipts.all():
        _note_sent(site, digest, number)
        receipts.drop(digest, number)
    notice = claim_next(site.database, Notice, worker_id, not_on_its_way(), *which)
    if notice is None:
        return ""
    with site.database.reading() as session:
        job = session.scalar(lookup.whole_jobs().where(Job.id == notice.job_id))
    if job is None:
        return "given up"  # deleted meanwhile, and the notice with it
    try:
        recipient = Recipient.opened(str(notice.sealed), site.seal)
        if notice.kind == "mail":
            mail.send(site, job, notice, recipient, _handing_over(site, job, notice))
        else:
            _call(site, job, notice, recipient, pauses or HostPauses())
    except _TakenAwayError:
        return "later"
    except _HostPausedError as paused:
        return _put_back(site, notice, paused.seconds)
    except DBAPIError:
        raise  # nothing has been sent: it is claimed again
    except (OSError, smtplib.SMTPException, StorageError, AddressRefused, webhook.Declined) as error:
        return _failed(site, job, notice, error)
    except Exception as error:  # a mistake of ours, which must not hold up the others
        _log.exception("%s fails", notice.kind, extra={"job": job.id})
        return _failed(site, job, notice, error)
    if not _note_sent(site, job.digest, notice.id):
        mail.take_back(site, job, notice)
    receipts.drop(job.digest, notice.id)
    _log.info("%s sent", notice.kind, extra={"job": job.id})
    return "sent"


def _call(site: Site, job: Job, notice: Notice, recipient: Recipient, pauses: HostPauses) -> None:
    host = urlsplit(recipient.address).hostname or ""
    if seconds := pauses.left(host):
        raise _HostPausedError(seconds)
    try:
        with _handing_over(site, job, notice):
            webhook.call(site, job, notice, recipient)
    except webhook.Declined:
        pauses.failed(host)
        raise
    pauses.worked(host)


def _put_back(site: Site, notice: Notice, seconds: float) -> str:
    """Let a notice wait without counting this as an attempt."""
    back = {"worker_id": None, "due_at": now() + seconds, "attempts": Notice.attempts - 1}
    with site.database.session() as session:
        session.execute(update(Notice).where(*_claimed(notice)).values(**back))
    return "later"


@contextmanager
def _handing_over(site: Site, job: Job, notice: Notice) -> Iterator[None]:
    """Note that a server is about to get the notice, and after the block that it has it: first where that is quickest.

    Raises: _TakenAwayError if it is no longer this worker's.
    """
    with site.database.session() as session:
        begin = update(Notice).where(*_claimed(notice)).values(handed_over_at=now()).returning(Notice.id)
        if session.scalar(begin) is None:
            raise _TakenAwayError
    yield
    Receipts(site.settings.data_dir).keep(job.digest, notice.id)


def _note_sent(site: Site, digest: str, notice_id: int) -> bool:
    """Note that a server has a notice of the job with that digest. Whoever has the notice now stops.

    False if the job has been deleted meanwhile. An address is kept no longer, unless a failed job may be tried again.
    """
    of_job = Job.id == Notice.job_id, Job.digest == digest
    done = exists().where(*of_job, Job.status == Status.DONE)
    sent = {"worker_id": None, "due_at": None, "sent_at": now(), "handed_over_at": None, "error": None}
    sent["sealed"] = case((done, None), else_=Notice.sealed)
    with site.database.session() as session:
        note = update(Notice).where(Notice.id == notice_id, exists().where(*of_job)).values(**sent)
        return session.scalar(note.returning(Notice.id)) is not None


def _failed(site: Site, job: Job, notice: Notice, error: Exception) -> str:
    hopeless = isinstance(error, AddressRefused) or _refused_for_good(error)
    pause = min(SHORTEST_PAUSE * 2 ** (notice.attempts - 1), LONGEST_PAUSE)
    with site.database.session() as session:
        hopeless = hopeless or read_clock(session) - (job.finished_at or 0) > GIVE_UP_SECONDS
        back = {"worker_id": None, "handed_over_at": None, "error": type(error).__name__}
        back["due_at"] = None if hopeless else now() + pause
        session.execute(update(Notice).where(*_claimed(notice)).values(**back))
    told = "given up" if hopeless else f"again in {pause:.0f} s"
    _log.warning("%s fails: %s, %s", notice.kind, type(error).__name__, told, extra={"job": job.id})
    return "given up" if hopeless else "later"


def _claimed(notice: Notice):
    """Whether a notice is still that of the worker that claimed it, as it was then."""
    mine = Notice.worker_id == notice.worker_id, Notice.attempts == notice.attempts
    return Notice.id == notice.id, Notice.sent_at.is_(None), *mine


def _refused_for_good(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code in _REFUSED_FOR_GOOD for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code in _REFUSED_FOR_GOOD
