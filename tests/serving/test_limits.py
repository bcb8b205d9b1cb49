"""Limits count networks and mailboxes, not what their owners can change at will."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from serving.app import create_app
from serving.limits import network_of
from serving.loadtest.servers import PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
    ],
)
def test_a_network_is_an_ipv4_address_or_half_of_an_ipv6_one(address, expected):
    assert network_of(address) == expected


@pytest.fixture
def client(tmp_path, settings):
    app = create_app(replace(settings, mails_per_hour=3, submits_per_minute=8))
    yield app.test_client()
    app.extensions["site"].close()


def send(client, photo, email="", address="203.0.113.7"):
    data = {"photo": (io.BytesIO(photo), "anna.jpg"), "email": email}
    return client.post("/api/v1/jobs", data=data, environ_base={"REMOTE_ADDR": address})


def test_a_mailbox_gets_so_many_mails_whoever_sends_the_photos(client, photo_bytes):
    same = ["anna@example.com", "Anna@example.com", "anna+1@EXAMPLE.com", "anna@example.com"]
    answers = [send(client, photo_bytes, email, f"203.0.113.{number}") for number, email in enumerate(same)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[-1].json["errors"][0]["field"] == "email"
    assert send(client, photo_bytes, "berta@example.com").status_code == 202
    assert send(client, photo_bytes).status_code == 202


def test_addresses_of_one_ipv6_network_count_together(client, photo_bytes):
    statuses = [send(client, photo_bytes, address=f"2001:db8::{number:x}").status_code for number in range(1, 10)]
    assert statuses == [202] * 8 + [429]
    assert send(client, photo_bytes, address="2001:db8:0:1::1").status_code == 202


def test_a_redis_that_hangs_holds_up_no_submission(settings, redis_server, photo_bytes):
    app = create_app(replace(settings, limits_url=redis_server.url))

    def send():
        form = {"photo": (io.BytesIO(photo_bytes), "anna.jpg"), "email": "anna@example.com"}
        return app.test_client().post("/api/v1/jobs", data=form).status_code

    assert send() == 202
    redis_server.suspend()
    try:
        with ThreadPoolExecutor() as pool:
            try:
                assert pool.submit(send).result(timeout=PATIENCE_SECONDS) == 202
            finally:
                redis_server.resume()
    finally:
        app.extensions["site"].close()
