"""Mails say what they should, once; webhooks are signed and go only to public addresses."""

import errno
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from serving.jobs import erasure, heartbeats, lookup, reasons, recovery, runs, submission
from serving.jobs.recipients import Recipient
from serving.jobs.runs import PhotoOutcome
from serving.jobs.submission import Submission
from serving.loadtest.servers import Mailbox
from serving.notices import mail, sending
from serving.pictures import views
from serving.sealing import Seal, SealBroken
from serving.store.receipts import Receipts
from serving.store.tables import Notice, WorkerRow

FAILED = [PhotoOutcome(error="anna.jpg: no <face> found.")]


@pytest.fixture
def worker(site):
    return heartbeats.register(site)


def end(site, photo, worker, outcomes, **fields):
    job = submission.submit(site, Submission([photo], email="anna@example.com", **fields))
    run = runs.claim(site, job.id, worker, alone=False)
    assert run is not None
    runs.finish(site, run, outcomes)
    return job


def body(message, kind):
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content()


def read_mails(site):
    files = sorted(site.settings.mail_dir.glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def test_nothing_is_sent_before_the_job_ends(site, clean_photo, worker):
    submission.submit(site, Submission([clean_photo], email="anna@example.com"))
    assert sending.send_next(site, worker) == ""


def test_a_mail_about_a_face_has_text_page_picture_and_link(site, clean_photo, worker, monkeypatch):
    monkeypatch.setattr(views, "front", lambda *arguments: b"picture")
    job = end(site, clean_photo, worker, [PhotoOutcome(folders=("folder",))])
    assert sending.send_next(site, worker) == "sent"
    assert sending.send_next(site, worker) == ""
    [message] = read_mails(site)
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "image/jpeg"]
    assert f"/jobs/{job.secret}" in body(message, "plain")
    assert f"/jobs/{job.secret}" in body(message, "html")
    assert message["To"] == "anna@example.com"


def test_a_mail_about_a_failure_escapes_what_people_wrote(site, clean_photo, worker):
    end(site, clean_photo, worker, FAILED)
    sending.send_next(site, worker)
    [message] = read_mails(site)
    assert "no <face> found" in body(message, "plain")
    assert "no &lt;face&gt; found" in body(message, "html")


def test_every_attempt_has_the_same_message_id(site, clean_photo, worker):
    end(site, clean_photo, worker, FAILED)
    with site.database.reading() as session:
        notice = session.scalars(select(Notice)).one()
        job = session.scalars(lookup.whole_jobs()).one()
    recipient = Recipient("anna@example.com", "secret")
    first, second = (mail.compose(site, job, notice, recipient)["Message-ID"] for _ in range(2))
    assert first == second


def test_a_deleted_job_takes_its_mail_along(site, clean_photo, worker):
    job = end(site, clean_photo, worker, FAILED)
    sending.send_next(site, worker)
    erasure.delete(site, str(job.secret))
    assert read_mails(site) == []


def test_a_mail_that_is_written_while_its_job_is_deleted_goes_too(site, clean_photo, worker, monkeypatch):
    job = end(site, clean_photo, worker, FAILED)
    noted = sending._note_sent

    def deleted_meanwhile(*arguments):
        erasure.delete(site, job.secret)
        return noted(*arguments)

    monkeypatch.setattr(sending, "_note_sent", deleted_meanwhile)
    sending.send_next(site, worker)
    assert read_mails(site) == []


def test_nobody_who_reads_the_database_learns_address_or_secret(site, clean_photo, worker):
    job = end(site, clean_photo, worker, FAILED)
    with site.database.reading() as session:
        notice = session.scalars(select(Notice)).one()
    kept = f"{notice.sealed} {notice.recipient}"
    assert "anna" not in kept
    assert job.secret not in kept
    assert Recipient.opened(str(notice.sealed), site.seal) == Recipient("anna@example.com", job.secret)
    with pytest.raises(SealBroken):
        Recipient.opened(str(notice.sealed), Seal("another key", "notices"))


def test_an_address_is_kept_no_longer_than_it_is_needed(site, clean_photo, worker, monkeypatch):
    monkeypatch.setattr(views, "front", lambda *arguments: b"picture")
    end(site, clean_photo, worker, [PhotoOutcome(folders=("folder",))])
    assert sending.send_next(site, worker) == "sent"
    with site.database.reading() as session:
        assert session.scalars(select(Notice.sealed)).one() is None


def test_a_mail_server_that_is_away_is_tried_again_later(site, clean_photo, worker):
    away = replace(site, settings=replace(site.settings, smtp_url="smtp://127.0.0.1:9"))
    end(site, clean_photo, worker, FAILED)
    assert sending.send_next(away, worker) == "later"
    with site.database.reading() as session:
        notice = session.scalars(select(Notice)).one()
    assert notice.sent_at is None
    assert notice.worker_id is None
    assert notice.due_at is not None


class HastyMailbox(Mailbox):
    """Takes a mail, and then has no time to part."""

    async def handle_QUIT(self, _server, _session, _envelope) -> str:  # noqa: N802 - aiosmtpd's name
        return "421 closing"


def test_a_mail_that_was_taken_is_sent_even_if_the_server_does_not_part_politely(site, clean_photo, worker):
    mailbox = HastyMailbox()
    mailbox.start()
    hasty = replace(site, settings=replace(site.settings, smtp_url=mailbox.url))
    end(site, clean_photo, worker, FAILED)
    try:
        assert [sending.send_next(hasty, worker) for _ in range(2)] == ["sent", ""]
    finally:
        mailbox.stop()
    assert len(mailbox.received) == 1


def test_a_mistake_in_one_mail_does_not_hold_up_the_others(site, clean_photo, worker, monkeypatch):
    end(site, clean_photo, worker, FAILED, language="nowhere")
    end(site, clean_photo, worker, FAILED)
    assert [sending.send_next(site, worker) for _ in range(3)] == ["later", "sent", ""]


@pytest.fixture
def mailbox():
    """A mail server, which the site uses."""
    mailbox = Mailbox()
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def by_smtp(site, mailbox):
    return replace(site, settings=replace(site.settings, smtp_url=mailbox.url))


def test_what_was_sent_while_the_database_is_away_is_noted_when_it_is_back(
    by_smtp, clean_photo, worker, monkeypatch, mailbox
):
    end(by_smtp, clean_photo, worker, FAILED)
    session, away = by_smtp.database.session, []

    def sometimes_away():
        if mailbox.received and len(away) < 2:
            away.append(1)
            raise OperationalError("COMMIT", {}, ConnectionError("no database"))
        return session()

    monkeypatch.setattr(by_smtp.database, "session", sometimes_away)
    for _ in range(2):
        with pytest.raises(OperationalError):
            sending.send_next(by_smtp, worker)
    assert sending.send_next(by_smtp, worker) == ""
    assert (len(away), len(mailbox.received)) == (2, 1)
    assert the_notice(by_smtp).sent_at is not None


class Killed(BaseException):
    """The end of a worker in the middle."""


@pytest.fixture
def killed_before_noting(monkeypatch):
    """The worker is killed when the server has the mail, before the database knows that."""

    def killed(*_):
        monkeypatch.undo()
        raise Killed

    monkeypatch.setattr(sending, "_note_sent", killed)


def the_notice(site):
    with site.database.reading() as session:
        return session.scalars(select(Notice)).one()


def let_a_minute_pass(site):
    """Nobody waits any longer for a worker that is silent to say what it has sent."""
    with site.database.session() as session:
        session.execute(update(Notice).values(handed_over_at=Notice.handed_over_at - 2 * recovery.UNSURE_SECONDS))


def test_a_mail_is_not_doubled_by_a_kill_between_its_acceptance_and_the_note_of_it(
    by_smtp, clean_photo, worker, mailbox, killed_before_noting
):
    end(by_smtp, clean_photo, worker, FAILED)
    with pytest.raises(Killed):
        sending.send_next(by_smtp, worker)
    let_a_minute_pass(by_smtp)
    restarted = heartbeats.register(by_smtp)
    assert [sending.send_next(by_smtp, restarted) for _ in range(2)] == ["", ""]
    assert len(mailbox.received) == 1
    assert the_notice(by_smtp).sent_at is not None
    assert list(Receipts(by_smtp.settings.data_dir).all()) == []


def test_a_mail_that_its_server_does_not_take_has_no_receipt(by_smtp, clean_photo, worker, mailbox):
    end(by_smtp, clean_photo, worker, FAILED)
    mailbox.answer = "451 later"
    assert sending.send_next(by_smtp, worker) == "later"
    assert the_notice(by_smtp).sent_at is None
    mailbox.answer = "250 OK"
    with by_smtp.database.session() as session:
        session.execute(update(Notice).values(due_at=0.0))
    assert sending.send_next(by_smtp, worker) == "sent"
    assert len(mailbox.received) == 2


def test_a_mail_of_which_no_receipt_can_be_kept_is_noted_all_the_same(
    by_smtp, clean_photo, worker, mailbox, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    end(by_smtp, clean_photo, worker, FAILED)
    monkeypatch.setattr("serving.store.receipts.os.open", full)
    assert [sending.send_next(by_smtp, worker) for _ in range(2)] == ["sent", ""]


def test_receipts_of_what_another_database_knew_say_nothing(site, clean_photo, worker):
    Receipts(site.settings.data_dir).keep("0" * 64, 1)
    end(site, clean_photo, worker, FAILED)
    assert sending.send_next(site, worker) == "sent"


def test_a_suspended_worker_does_not_send_what_was_taken_from_it(by_smtp, clean_photo, worker, monkeypatch, mailbox):
    end(by_smtp, clean_photo, worker, FAILED)
    other = heartbeats.register(by_smtp)
    compose = mail.compose

    def suspended(site, job, notice, recipient):
        """The worker sleeps while it writes the mail; another one takes it for dead, and sends the mail itself."""
        monkeypatch.setattr(mail, "compose", compose)
        with site.database.session() as session:
            session.get_one(WorkerRow, worker).beat_at -= 60
        recovery.take_from_dead(site, other)
        assert sending.send_next(site, other) == "sent"
        return compose(site, job, notice, recipient)

    monkeypatch.setattr(mail, "compose", suspended)
    assert sending.send_next(by_smtp, worker) == "later"
    assert len(mailbox.received) == 1


def test_a_mail_that_its_server_may_have_is_not_sent_on_another_host(
    by_smtp, clean_photo, worker, mailbox, monkeypatch, tmp_path
):
    end(by_smtp, clean_photo, worker, FAILED)
    elsewhere = replace(by_smtp, settings=replace(by_smtp.settings, data_dir=tmp_path / "elsewhere"))
    other, others = heartbeats.register(by_smtp), []
    noted = sending._note_sent

    def suspended(site, *which):
        """The worker sleeps while the server answers, and is taken for dead."""
        with site.database.session() as session:
            session.get_one(WorkerRow, worker).beat_at -= 60
        recovery.take_from_dead(site, other)
        others.append(sending.send_next(elsewhere, other))
        return noted(site, *which)

    monkeypatch.setattr(sending, "_note_sent", suspended)
    assert sending.send_next(by_smtp, worker) == "sent"
    assert (others, len(mailbox.received)) == ([""], 1)
    assert sending.send_next(elsewhere, other) == ""


def test_each_end_of_a_job_that_an_operator_tries_again_is_told(site, clean_photo, worker):
    job = end(site, clean_photo, worker, FAILED)
    for _ in range(2):
        assert sending.send_next(site, worker) == "sent"
        assert submission.retry(site, job.id)
        assert sending.send_next(site, worker) == ""
        run = runs.claim(site, job.id, worker, alone=False)
        assert run is not None
        runs.finish(site, run, FAILED)
    assert sending.send_next(site, worker) == "sent"
    assert len({message["Message-ID"] for message in read_mails(site)}) == 3


def test_a_mail_that_waits_while_a_job_is_tried_again_is_sent_once(site, clean_photo, worker):
    job = end(site, clean_photo, worker, FAILED)
    submission.retry(site, job.id)
    assert sending.send_next(site, worker) == ""
    run = runs.claim(site, job.id, worker, alone=False)
    assert run is not None
    runs.finish(site, run, FAILED)
    assert [sending.send_next(site, worker) for _ in range(2)] == ["sent", ""]


def test_a_failure_is_told_in_the_language_of_the_person(site, clean_photo, worker):
    end(site, clean_photo, worker, [PhotoOutcome(error=reasons.NO_FACE)], language="de")
    sending.send_next(site, worker)
    [message] = read_mails(site)
    assert "Ihr Foto: kein Gesicht gefunden" in body(message, "plain")


def test_a_mail_has_no_words_of_the_sender(site, clean_photo, worker):
    photo = replace(clean_photo, name="Call 0900 123456 now, you have won.jpg")
    end(site, photo, worker, [PhotoOutcome(error=reasons.NO_FACE)])
    sending.send_next(site, worker)
    [message] = read_mails(site)
    assert "won" not in str(message)
    assert "Your photo: no face found" in body(message, "plain")
