"""The web server of the embedded mode, as far as it answers by itself."""

import http.client
import json
import threading
from dataclasses import replace

import pytest

from serving.app import create_app
from serving.loadtest.servers import free_port
from serving.serve import listening

FAR_TOO_LARGE = 9_000_000  # bytes, of a site that takes 1 MB


@pytest.fixture
def port(settings):
    chosen = replace(settings, max_upload_mb=1.0)
    app, port = create_app(chosen), free_port()
    server = listening(app, chosen, "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield port
    server.close()
    thread.join(30)
    app.extensions["site"].close()


def announced(port, path):
    """The answer to an upload of which nothing but the headers is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("POST", path)
    sent = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(FAR_TOO_LARGE)}
    for name, value in {**sent, "Sec-Fetch-Site": "same-origin", "Accept-Language": "de"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_people_are_told_in_their_language_that_an_upload_is_far_too_large(port):
    answer, body = announced(port, "/")
    assert (answer.status, answer.getheader("Content-Type")) == (413, "text/html; charset=utf-8")
    assert '<html lang="de"' in body.decode()
    assert answer.getheader("Connection") == "close"


def test_programs_are_told_so_as_problem_json(port):
    answer, body = announced(port, "/api/v1/jobs")
    assert (answer.status, json.loads(body)["status"]) == (413, 413)
    assert answer.getheader("Content-Type") == "application/problem+json"
