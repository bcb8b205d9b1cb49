"""Notices about the end of a job: taken from the table one by one, sent, and marked; nothing is lost while a server is
away, and a second copy can only come from a crash between its acceptance and our commit.
"""

from __future__ import annotations

import logging
import smtplib
import time

from sqlalchemy import update

from serving.errors import AddressRefused, StorageError
from serving.jobs import lookup
from serving.notices import mail, webhook
from serving.settings import DAY
from serving.site import Site
from serving.store.claims import claim_next
from serving.store.tables import Job, Notice

SHORTEST_PAUSE, LONGEST_PAUSE = 2.0, 60.0  # seconds until a notice is tried again
GIVE_UP_SECONDS = 3 * DAY
_REFUSED_FOR_GOOD = range(550, 560)  # what an SMTP server answers for addresses that it does not take

_log = logging.getLogger(__name__)


def send_next(site: Site, worker_id: str) -> str:
    """Send one notice that is due: `sent`, `later` or `given up`; empty if there is none."""
    notice = claim_next(site.database, Notice, worker_id)
    if notice is None:
        return ""
    with site.database.reading() as session:
        job = session.scalar(lookup.whole_jobs().where(Job.id == notice.job_id))
    if job is None or job.secret is None:
        return "given up"  # deleted meanwhile, and the notice with it
    try:
        if notice.kind == "mail":
            mail.send(site, job, notice)
        else:
            webhook.call(site, job, notice)
    except (OSError, smtplib.SMTPException, StorageError, AddressRefused, webhook.Declined) as error:
        return _failed(site, job, notice, error)
    except Exception as error:  # a mistake of ours, which must not hold up the others
        _log.exception("%s fails", notice.kind, extra={"job": job.id})
        return _failed(site, job, notice, error)
    _end(site, notice, due_at=None, sent_at=time.time(), error=None)
    _log.info("%s sent", notice.kind, extra={"job": job.id})
    return "sent"


def _failed(site: Site, job: Job, notice: Notice, error: Exception) -> str:
    hopeless = isinstance(error, AddressRefused) or _refused_for_good(error)
    if hopeless or time.time() - (job.finished_at or 0) > GIVE_UP_SECONDS:
        _log.warning("%s given up: %s", notice.kind, type(error).__name__, extra={"job": job.id})
        _end(site, notice, due_at=None, error=type(error).__name__)
        return "given up"
    pause = min(SHORTEST_PAUSE * 2 ** (notice.attempts - 1), LONGEST_PAUSE)
    _log.warning("%s fails: %s, again in %.0f s", notice.kind, type(error).__name__, pause, extra={"job": job.id})
    _end(site, notice, due_at=time.time() + pause, error=type(error).__name__)
    return "later"


def _refused_for_good(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code in _REFUSED_FOR_GOOD for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code in _REFUSED_FOR_GOOD


def _end(site: Site, notice: Notice, **values: float | str | None) -> None:
    with site.database.session() as session:
        session.execute(update(Notice).where(Notice.id == notice.id).values(worker_id=None, **values))
