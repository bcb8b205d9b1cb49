"""A PostgreSQL server that takes connections and hangs holds nobody for long."""

from __future__ import annotations

import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from serving.app import create_app
from serving.jobs import submission
from serving.jobs.submission import Submission
from serving.loadtest.servers import PATIENCE_SECONDS
from serving.store.postgres import ImpatientConnection


class Relay:
    """Stands before a server, and can hang: it takes connections then, and passes nothing on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._passing = threading.Event()
        self._passing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def while_hanging(self, *calls):
        """What calls give at the same time while it hangs, which it does no longer than they may take."""
        self._passing.clear()
        with ThreadPoolExecutor(len(calls)) as pool:
            try:
                return [each.result(timeout=PATIENCE_SECONDS) for each in [pool.submit(call) for call in calls]]
            finally:
                self._passing.set()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, server = self._listener.accept()[0], socket.create_connection(("127.0.0.1", self._port))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # one end is closed
            while data := source.recv(65536):
                self._passing.wait()
                target.sendall(data)
        for end in (source, target):
            end.close()


@pytest.fixture
def relay(postgres_server):
    relay = Relay(make_url(postgres_server.new_database()).port or 0)
    yield relay
    relay.close()


@pytest.fixture
def app(settings, postgres_server, relay, monkeypatch):
    monkeypatch.setattr(ImpatientConnection, "answer_seconds", 1.0)
    url = make_url(postgres_server.new_database()).set(port=relay.port)
    app = create_app(replace(settings, database_url=str(url)))
    yield app
    app.extensions["site"].close()


def test_pages_and_programs_are_told_to_come_back(app, relay, clean_photo, photo_bytes):
    job = submission.submit(app.extensions["site"], Submission([clean_photo]))
    form = {"photo": (io.BytesIO(photo_bytes), "anna.jpg")}
    page, state, sent, ready, alive = relay.while_hanging(
        lambda: app.test_client().get(f"/jobs/{job.secret}"),
        lambda: app.test_client().get(f"/api/v1/jobs/{job.secret}"),
        lambda: app.test_client().post("/api/v1/jobs", data=form),
        lambda: app.test_client().get("/readyz"),
        lambda: app.test_client().get("/healthz"),
    )
    assert [page.status_code, state.status_code, sent.status_code, ready.status_code] == [503] * 4
    assert "Not right now" in page.text and page.headers["Retry-After"]
    assert state.content_type == "application/problem+json" and state.headers["Retry-After"]
    assert alive.status_code == 200
    assert app.test_client().get(f"/jobs/{job.secret}").status_code == 200  # as soon as the server is back


def test_a_connection_that_was_waited_for_in_vain_is_closed(app, relay):
    engine = app.extensions["site"].database.engine
    with engine.connect() as connection:

        def ask():
            with pytest.raises(OperationalError) as told:
                connection.execute(text("SELECT 1"))
            return told.value.connection_invalidated

        assert relay.while_hanging(ask) == [True]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 2")) == 2
