"""No log carries the address of a job, whoever writes it."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.client import Client, Declined
from serving.jobs import submission
from serving.jobs.submission import Submission
from serving.loadtest.servers import free_port, wait_until
from serving.logs import hide_secrets
from serving.store.tables import Face, Job
from tests.serving.conftest import REPOSITORY, environ_of

SECRET = "Zk3-abc_DEF456789012345678901234"


def test_the_secret_is_taken_out_of_messages_and_tracebacks():
    try:
        raise ValueError(f"no /jobs/{SECRET}?face=2")
    except ValueError:
        record = logging.LogRecord("x", 40, "", 1, "GET %s", (f"/api/v1/jobs/{SECRET}/events",), sys.exc_info())
    assert hide_secrets(record)
    told = logging.Formatter().format(record)
    assert SECRET not in told
    assert "GET /api/v1/jobs/.../events" in told
    assert "no /jobs/...?face=2" in told


def test_gunicorn_logs_a_stream_that_fails_without_its_address(site, clean_photo, tmp_path):
    secret = str(submission.submit(site, Submission([clean_photo])).secret)
    with site.database.session() as session:
        job = session.get_one(Job, 1)
        job.faces = [Face(photo=0, number=0, folder="somewhere")]
    port = free_port()
    environ = {**os.environ, **environ_of(site.settings), "SECRET_IN_ERROR": f"/jobs/{secret}"}
    command = ["-m", "gunicorn", "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}"]
    options = ["--access-logfile", "-", "--log-level", "debug", "--pythonpath", str(Path(__file__).parent)]
    with (tmp_path / "log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, *command, *options, "failing_app:app"], env=environ, cwd=REPOSITORY, stdout=log, stderr=log
        )
    try:
        client = Client(f"http://127.0.0.1:{port}")
        wait_until(lambda: _answers(client), "gunicorn")
        for path in ("face.glb", "photo.jpg"):
            with pytest.raises(Declined):
                client.request("GET", f"/api/v1/jobs/{secret}/faces/0/{path}").require()
    finally:
        web.terminate()
        web.communicate()
    told = (tmp_path / "log").read_text()
    assert "the disk is gone" in told
    assert secret not in told


def _answers(client):
    try:
        return client.request("GET", "/healthz").status == 200
    except Declined:
        return False
