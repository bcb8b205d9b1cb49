"""The page of the interface, and the programs on it, which are run against a site."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from serving.api.models import FILES
from serving.jobs import heartbeats, runs
from serving.jobs.runs import PhotoOutcome
from serving.pages import interface
from serving.site import Site
from serving.store.tables import OutboxEntry, Status

REPOSITORY = interface._FOLDER.parents[2]
PATIENCE_SECONDS = 60


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments) -> None:
        """Say nothing."""


@pytest.fixture
def address(app):
    """A site whose jobs are done as soon as they are sent, all with a face."""
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    over = threading.Event()
    threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=_work, args=(app, over))]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    for thread in threads:
        thread.join()
    server.server_close()


def _work(app, over: threading.Event) -> None:
    site: Site = app.extensions["site"]
    number = 1
    while not over.wait(0.1):
        with site.database.reading() as session:  # the job is whole once its message is there
            if session.scalar(select(OutboxEntry.id).where(OutboxEntry.job_id == number)) is None:
                continue
        run = runs.claim(site, number, heartbeats.register(site), alone=False)
        if run is None:
            continue
        for name in FILES.values():
            site.storage.write(f"{run.folder}/face/{name}", b"glTF")
        assert runs.finish(site, run, [PhotoOutcome((f"{run.folder}/face",))]) is Status.DONE
        number += 1


COMMANDS = {
    "shell.sh": ["sh", "-eu"],
    "python.py": [sys.executable],
    "asynchronous.py": [sys.executable],
    "javascript.mjs": ["node"],
}


@pytest.mark.parametrize("name", [name for name, _ in interface.SAMPLES])
def test_the_programs_on_the_page_run(address: str, photo: bytes, tmp_path, name: str) -> None:
    program, *options = COMMANDS[name]
    if shutil.which(program) is None or (name == "shell.sh" and shutil.which("curl") is None):
        pytest.skip(f"{program} is not installed")
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(photo)
    (folder / name).write_text((interface._FOLDER / name).read_text().replace("SITE", address))

    done = subprocess.run(
        [program, *options, name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        timeout=PATIENCE_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [path.read_bytes() for path in folder.rglob("face.glb")] == [b"glTF"]


def test_the_webhook_program_knows_whom_to_believe() -> None:
    there: dict = {}
    exec((interface._FOLDER / interface.WEBHOOK_SAMPLE).read_text(), there)
    now = str(int(time.time()))
    signature = hmac.new(b"key", f"{now}.body".encode(), hashlib.sha256).hexdigest()

    assert there["is_ours"](b"body", f"t={now},v1={signature}", "key")
    assert not there["is_ours"](b"other", f"t={now},v1={signature}", "key")
    assert not there["is_ours"](b"body", f"t={now},v1={signature}", "another")


def test_the_page_tells_every_operation(client: FlaskClient) -> None:
    answer = client.get("/api")
    document = client.get("/api/v1/openapi.json").get_json()

    assert answer.status_code == 200
    for path, methods in document["paths"].items():
        assert path in answer.text
        for described in methods.values():
            assert described["summary"].split(";")[0] in answer.text
    assert "Idempotency-Key" in answer.text


def test_the_document_says_what_values_there_are(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    form = document["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]

    assert form["properties"]["faces"]["enum"] == ["largest", "all"]
    assert form["properties"]["email"]["examples"] == ["anna@example.org"]
    for methods in document["paths"].values():
        for described in methods.values():
            assert described["tags"]
            assert all(each["description"] for each in described["parameters"])
