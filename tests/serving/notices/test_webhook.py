"""A webhook reaches its address over TLS, signed, and only if that is on the public internet."""

import hashlib
import hmac
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import select

from serving.errors import AddressRefused, Refused
from serving.jobs import heartbeats, runs, submission
from serving.jobs.addresses import clean_webhook
from serving.jobs.runs import PhotoOutcome
from serving.jobs.submission import Submission
from serving.notices import sending, webhook
from serving.notices.pauses import HostPauses
from serving.settings import Settings
from serving.store.tables import Notice

HOST = "hooks.example.org"
SLOW_HEADERS = 60


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of the host, signed by itself, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "host.pem"
    made = ["-keyout", str(path), "-out", str(path) + ".crt", "-subj", f"/CN={HOST}"]
    names = ["-addext", f"subjectAltName=DNS:{HOST}"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-days", "1", *made, *names], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_name("host.pem.crt").read_bytes())
    return path


class Hooks(HTTPServer):
    """A server that keeps what is posted to it, and answers with a status."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.pause = 0.0  # seconds after each of many headers
        self.received = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        assert isinstance(self.server, Hooks)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        for number in range(SLOW_HEADERS if self.server.pause else 0):
            self.send_header(f"X-{number}", "x")
            self.flush_headers()
            time.sleep(self.server.pause)
        self.end_headers()

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def hooks(certificate, monkeypatch):
    """The server of the host, which stands for one on the public internet."""
    server = Hooks()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(webhook, "PORT", server.server_port)
    monkeypatch.setattr(webhook, "_trust", lambda: ssl.create_default_context(cafile=str(certificate)))
    monkeypatch.setattr(webhook, "public_addresses", lambda host: ["127.0.0.1"])
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def end_job(site, photo, address):
    worker = heartbeats.register(site)
    job = submission.submit(site, Submission([photo], webhook=address))
    run = runs.claim(site, job.id, worker, alone=False)
    assert run is not None
    runs.finish(site, run, [PhotoOutcome(("face",))])
    return job, worker


def test_the_end_of_a_job_is_posted_and_signed(site, clean_photo, hooks):
    job, worker = end_job(site, clean_photo, f"https://{HOST}/done?who=anna")
    assert sending.send_next(site, worker) == "sent"
    [(path, headers, body)] = hooks.received
    assert (path, headers["Host"]) == ("/done?who=anna", HOST)
    assert json.loads(body) == {"id": job.secret, "status": "done", "faces": 1, "error": None}
    moment, signature = (part.partition("=")[2] for part in headers[webhook.SIGNATURE].split(","))
    key = site.settings.webhook_key.encode()
    assert hmac.compare_digest(signature, hmac.new(key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest())


@pytest.mark.parametrize("status", [302, 404, 500])
def test_it_is_posted_again_until_it_is_taken(site, clean_photo, hooks, status):
    _, worker = end_job(site, clean_photo, f"https://{HOST}/")
    hooks.status = status
    assert sending.send_next(site, worker) == "later"
    hooks.status = 200
    with site.database.session() as session:
        session.scalars(select(Notice)).one().due_at = 0.0
    assert sending.send_next(site, worker) == "sent"
    assert len({headers["Idempotency-Key"] for _, headers, _ in hooks.received}) == 1


def test_a_server_that_answers_a_little_at_a_time_is_broken_off(site, clean_photo, hooks, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 1.0)
    hooks.pause = 0.3
    _, worker = end_job(site, clean_photo, f"https://{HOST}/")
    start = time.monotonic()
    assert sending.send_next(site, worker) == "later"
    hooks.pause = 0.0
    assert time.monotonic() - start < 0.3 * SLOW_HEADERS / 2


def test_a_host_that_fails_is_left_alone_for_longer_each_time(site, clean_photo, hooks):
    pauses = HostPauses()
    _, worker = end_job(site, clean_photo, f"https://{HOST}/")
    end_job(site, clean_photo, f"https://{HOST}/other")
    hooks.status = 500
    assert [sending.send_next(site, worker, pauses=pauses) for _ in range(3)] == ["later", "later", ""]
    assert len(hooks.received) == 1, "the second waits with the first"
    first = pauses.left(HOST)
    pauses.failed(HOST)
    assert first < pauses.left(HOST)
    pauses.worked(HOST)
    assert pauses.left(HOST) == 0


def test_a_certificate_of_another_host_is_not_trusted(site, clean_photo, hooks):
    _, worker = end_job(site, clean_photo, "https://another.example.org/")
    assert sending.send_next(site, worker) == "later"
    assert hooks.received == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "fd00::1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "::127.0.0.1",
        "fec0::1",
        "::ffff:0:10.0.0.1",
        "2002:a00:1::1",
        "2001:0:a00:1::1",
        "3fff::1",
        "ff02::1",
    ],
)
def test_an_address_of_our_own_network_is_given_up_at_once(site, clean_photo, host):
    address = f"https://[{host}]/" if ":" in host else f"https://{host}/"
    _, worker = end_job(site, clean_photo, address)
    assert sending.send_next(site, worker) == "given up"
    assert sending.send_next(site, worker) == ""


def test_a_name_that_leads_into_our_own_network_is_refused(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        webhook.public_addresses("rebinding.example.org")


SPECIAL_PURPOSE = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
    203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    ::/128 ::1/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23
    2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
""".split()
"""The two special-purpose registries of IANA, multicast, and the older forms of IPv4 addresses within IPv6."""


@pytest.mark.parametrize("network", SPECIAL_PURPOSE)
def test_no_range_with_a_special_purpose_is_called(monkeypatch, network):
    first, last = ipaddress.ip_network(network)[0], ipaddress.ip_network(network)[-1]
    for address in (first, last):
        monkeypatch.setattr(webhook, "_resolved", lambda host, address=address: [str(address)])
        with pytest.raises(AddressRefused):
            webhook.public_addresses(HOST)


@pytest.mark.parametrize("address", ["93.184.215.14", "192.0.1.1", "2001:4860:4860::8888", "2a00:1450:4001::1"])
def test_the_public_internet_is_called(monkeypatch, address):
    monkeypatch.setattr(webhook, "_resolved", lambda host: [address])
    assert webhook.public_addresses(HOST) == [address]


@pytest.mark.skipif(not hasattr(socket, "AF_INET6"), reason="knows no IPv6")
def test_where_one_address_of_a_host_cannot_be_reached_the_next_is_tried(site, clean_photo, hooks, monkeypatch):
    monkeypatch.setattr(webhook, "public_addresses", lambda host: ["2001:db8::1", "127.0.0.1"])
    monkeypatch.setattr(webhook, "CONNECT_SECONDS", 1.0)
    _, worker = end_job(site, clean_photo, f"https://{HOST}/")
    assert sending.send_next(site, worker) == "sent"


def test_a_name_that_is_looked_up_for_too_long_is_not_waited_for(monkeypatch):
    looked_up = threading.Event()
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(webhook, "_resolved", lambda host: looked_up.wait(60) and [])
    with pytest.raises(webhook.Declined, match="in time"):
        webhook.public_addresses(HOST)
    looked_up.set()


@pytest.mark.parametrize(
    "address",
    [
        "http://a.org/",
        "https://u:p@a.org/",
        "https://a.org:8443/",
        "ftp://a.org",
        "https:///x",
        "https://a.org/\r\nX: 1",
    ],
)
def test_other_addresses_are_refused_when_they_are_given(address):
    with pytest.raises(Refused):
        clean_webhook(address, Settings(webhook_key="key"))


def test_a_site_without_a_key_sends_none():
    with pytest.raises(Refused):
        clean_webhook("https://a.org/", replace(Settings(), webhook_key=""))
