"""`deep3d check-store` finds what does not match, whatever it is, and nothing in a sound site."""

from dataclasses import replace

import pytest
import typer
from sqlalchemy import delete, update
from typer.testing import CliRunner

from serving.commands import add_commands
from serving.errors import SettingsError
from serving.jobs import erasure, heartbeats, outbox, runs, submission
from serving.jobs.runs import PhotoOutcome
from serving.jobs.submission import Submission
from serving.reconcile import mismatches
from serving.site import Site
from serving.store.receipts import Receipts
from serving.store.scratch import Scratch
from serving.store.tables import Face, Job, Notice, OutboxEntry, Status, Upload, WorkerRow
from serving.worker.messages import jobs_in_broker
from tests.serving.conftest import write_mean_face


@pytest.fixture
def worker(site):
    return heartbeats.register(site)


@pytest.fixture
def waiting(site, clean_photo):
    """A job that the broker has."""
    job = submission.submit(site, Submission([clean_photo]))
    outbox.relay(site, lambda job_id: None)
    return job


@pytest.fixture
def done(site, clean_photo, worker):
    """A job that is over, with a face and a mail that was sent."""
    job = submission.submit(site, Submission([clean_photo], email="anna@example.com"))
    outbox.relay(site, lambda job_id: None)
    run = runs.claim(site, job.id, worker, alone=False)
    assert run is not None
    write_mean_face(site.storage, f"{run.folder}/face")
    runs.finish(site, run, [PhotoOutcome((f"{run.folder}/face",))])
    change(site, update(Notice).values(sent_at=1.0, due_at=None))
    return job


def change(site, statement):
    with site.database.session() as session:
        session.execute(statement)


def found(site, *messages):
    return mismatches(site, messages, settled_seconds=-1)  # at once


def test_a_sound_site_matches(site, waiting, done, worker):
    gone = submission.submit(site, Submission([]))
    erasure.erase(site, gone.id, Status.DELETED)
    assert found(site, waiting.id) == []


def test_what_is_still_being_done_is_left_out(site, waiting):
    site.storage.write(f"{waiting.folder}/run-1/face/face.glb", b"at work")
    assert mismatches(site, [waiting.id]) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (update(Job).where(Job.id == 1).values(status=Status.RUNNING, worker_id="x", started_at=1.0), "job 1: runs at"),
        (delete(Face), "job 2: is done, and has no face"),
        (update(Notice).values(sent_at=None), "notice 1 of job 2: was not sent, and is not due"),
        (update(Notice).values(worker_id="x"), "notice 1 of job 2: is held by a worker that is gone"),
        (delete(Upload).where(Upload.job_id == 2), "jobs/2/photos/0.jpg: was left half-written"),
        (delete(Job).where(Job.id == 2), "jobs/2/photos/0.jpg: its job is gone"),
        (update(Upload).where(Upload.job_id == 2).values(path="jobs/2/photos/9.jpg"), "jobs/2/photos/9.jpg: job 2 has"),
        (update(Face).values(folder="jobs/2/run-9/face"), "jobs/2/run-9/face: job 2 has lost this face"),
    ],
)
def test_rows_and_files_that_do_not_match_are_told(site, waiting, done, statement, told):
    change(site, statement)
    assert [line for line in found(site, waiting.id) if line.startswith(told)]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("jobs/2/run-7/face.glb", "was left by a run that broke off"),
        ("jobs/2/run-1/.partial-face.glb", "was left half-written"),
        ("jobs/77/photos/0.jpg", "its job is gone"),
        ("probes/abc", "belongs to nothing"),
    ],
)
def test_files_that_nothing_needs_are_told(site, waiting, done, name, told):
    site.storage.write(name, b"left")
    assert found(site, waiting.id) == [f"{name}: {told}"]


def test_messages_and_scratch_folders_are_compared_too(site, waiting, done, worker, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", None)
    Scratch(site.settings.data_dir).use("killed")
    assert found(site, done.id) == [
        f"job {waiting.id}: waits, and no message would bring it to a worker",
        f"job {done.id}: is over, and the broker has a message of it",
        "scratch/killed: its worker is gone",
    ]
    assert mismatches(site, None, settled_seconds=-1) == ["scratch/killed: its worker is gone"]


def test_a_receipt_that_nobody_notes_is_told(site):
    Receipts(site.settings.data_dir).keep("0" * 64, 7)
    assert found(site) == [f"receipts/{'0' * 64}-7: a notice was sent, and the database has not been told"]
    assert mismatches(site, None) == []


def test_the_command_tells_and_ends_with_1(settings, site, waiting, done, monkeypatch):
    monkeypatch.setenv("DEEP3D_DATA_DIR", str(settings.data_dir))
    runner, app = CliRunner(), typer.Typer()
    add_commands(app)
    sound = runner.invoke(app, ["check-store"])
    assert (sound.exit_code, sound.stderr) == (0, "Everything matches.\n")
    change(site, delete(WorkerRow))
    change(site, delete(OutboxEntry))
    change(site, update(Job).where(Job.id == waiting.id).values(status=Status.RUNNING, worker_id="x", started_at=1.0))
    broken = runner.invoke(app, ["check-store"])
    assert broken.exit_code == 1
    assert f"job {waiting.id}: runs at a worker that is gone" in broken.stdout


def test_a_broker_that_is_away_is_told(site):
    away = replace(site.settings, broker_url="redis://127.0.0.1:9/0")
    with pytest.raises(SettingsError, match="DEEP3D_BROKER_URL"):
        jobs_in_broker(Site(away, site.database, site.storage))
