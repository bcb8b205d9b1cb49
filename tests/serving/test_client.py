"""A program submits, waits and downloads; what goes wrong is told in one line."""

import json
import threading
import time
from types import SimpleNamespace
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import typer
from typer.testing import CliRunner

from serving.api.keys import make_key
from serving.api.models import FILES, HAIR_FILES
from serving.client import Answer, Client, Declined
from serving.commands import add_commands
from serving.jobs import heartbeats, reasons, runs
from serving.jobs.runs import PhotoOutcome


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def address(app):
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def photo(tmp_path, photo_bytes):
    path = tmp_path / "anna.jpg"
    path.write_bytes(photo_bytes)
    return path


def finish(app, *faces):
    """Do what a worker does with the only job, which has so many faces in each photo."""
    site = app.extensions["site"]
    run = runs.claim(site, 1, heartbeats.register(site), alone=False)
    assert run is not None
    for name in (FILES | HAIR_FILES).values():
        site.storage.write(f"jobs/1/face/{name}", b"glTF")
    outcomes = [PhotoOutcome(("jobs/1/face",) * each, None if each else reasons.NO_FACE) for each in faces]
    runs.finish(site, run, outcomes)


@pytest.fixture
def command_line():
    """The site's commands."""
    commands = typer.Typer()
    add_commands(commands)
    return commands


@pytest.fixture
def submit(command_line, app, address, photo, tmp_path, monkeypatch):
    """The command `submit` for photos with so many faces each: the job ends while the command pauses."""

    def run(*faces):
        pausing = SimpleNamespace(sleep=lambda _: finish(app, *faces), perf_counter=time.perf_counter)
        monkeypatch.setattr("serving.client.time", pausing)  # the server's threads have theirs
        photos = [str(photo)] * len(faces)
        return CliRunner().invoke(
            command_line, ["submit", *photos, "--server", address, "--out", str(tmp_path / "out")]
        )

    return run


def test_a_photo_is_submitted_and_its_files_downloaded(app, address, photo, tmp_path):
    client = Client(address)
    job = client.submit([str(photo)], email="anna@example.com")
    finish(app, 1)
    state = client.wait(job)
    assert state["status"] == "done"
    client.download(state["faces"][0]["links"], ["glb"], tmp_path / "out" / "face-1")
    assert (tmp_path / "out" / "face-1" / "face.glb").read_bytes() == b"glTF"


def test_a_download_that_breaks_off_leaves_nothing(app, address, photo, tmp_path):
    client = Client(address)
    job = client.submit([photo])
    finish(app, 1)
    links = client.wait(job)["faces"][0]["links"]
    with pytest.raises(Declined):
        client.download({**links, "obj": links["obj"] + ".gone"}, ["glb", "obj"], tmp_path / "out" / "face-1")
    assert not (tmp_path / "out").exists()


def test_it_asks_again_after_a_share_of_the_wait_that_is_foretold(monkeypatch):
    waits = iter([8.0, 0.4, 100.0])
    pauses = []

    def answer(*_):
        wait = next(waits, None)
        state = {"status": "done"} if wait is None else {"status": "queued", "wait_seconds": wait}
        return Answer(200, json.dumps(state).encode(), 0.0)

    client = Client("http://127.0.0.1:9")
    monkeypatch.setattr(client, "request", answer)
    monkeypatch.setattr("serving.client.time", SimpleNamespace(sleep=pauses.append))
    assert client.wait({"links": {"self": "/"}})["status"] == "done"
    assert pauses == [2.0, 0.5, 2.0]  # a wait may turn out much shorter than foretold


def test_what_the_server_refuses_is_told_in_its_words(address, tmp_path):
    nothing = tmp_path / "nothing.jpg"
    nothing.touch()
    with pytest.raises(Declined, match=r"422: nothing\.jpg: the file is empty"):
        Client(address).submit([nothing])


def test_a_photo_that_is_not_there_is_told(address, tmp_path):
    with pytest.raises(Declined, match="cannot be read"):
        Client(address).submit([tmp_path / "missing.jpg"])


def test_a_server_that_is_not_there_is_told(photo):
    with pytest.raises(Declined, match="no answer"):
        Client("http://127.0.0.1:9").submit([photo])


def test_a_key_must_be_one_that_is_known(app, address, photo):
    key = make_key(app.extensions["site"], "a program")
    assert Client(address, key).submit([photo])["status"] == "submitted"
    with pytest.raises(Declined, match="401"):
        Client(address, "another").submit([photo])


@pytest.mark.parametrize(("faces", "code"), [(1, 0), (0, 1)])
def test_the_command_downloads_what_came_out_and_ends_by_it(submit, address, tmp_path, faces, code):
    result = submit(faces)
    assert result.exit_code == code
    assert f"{address}/jobs/" in result.stderr
    written = {path.name for path in (tmp_path / "out").glob("face-1/*")}
    assert written == ({*(FILES | HAIR_FILES).values()} if faces else set())


def test_a_photo_without_a_face_among_others_ends_with_1(submit, tmp_path):
    result = submit(1, 0)
    assert result.exit_code == 1 and "no face found" in result.stderr
    assert (tmp_path / "out" / "face-1" / "face.glb").exists()


def test_a_web_address_is_no_photo(command_line, tmp_path):
    result = CliRunner().invoke(command_line, ["submit", "https://example.org/a.jpg"])
    assert result.exit_code == 2 and "https://example.org/a.jpg: a web address, not a file" in result.stderr


def test_a_key_begins_no_site_of_its_own(command_line, tmp_path, monkeypatch, settings):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command_line, ["api-key", "anna"])
    assert result.exit_code == 2 and "holds no site; name its folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == []
