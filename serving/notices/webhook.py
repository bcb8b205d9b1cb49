"""Webhooks: a signed POST to an address that somebody gave, never to one inside our own network."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

from serving.errors import AddressRefused
from serving.jobs import reasons
from serving.jobs.recipients import Recipient
from serving.site import Site
from serving.store.tables import Job, Notice

PORT = 443
TIMEOUT_SECONDS = 10.0  # of the whole call, once the address of the host is known
SIGNATURE = "X-Deep3D-Signature"  # t=SECONDS,v1=HEX: HMAC-SHA256 of "SECONDS.BODY" with the site's webhook key


_INTERNET6 = ipaddress.IPv6Network("2000::/3")


class Declined(Exception):
    """The address did not answer, or not with 2xx."""


def call(site: Site, job: Job, notice: Notice, recipient: Recipient) -> None:
    """Tell the end of a job to its webhook.

    Raises: AddressRefused, Declined.
    """
    told = {"id": recipient.secret, "status": job.status, "faces": len(job.faces), "error": reasons.of_job(job)}
    body = json.dumps(told).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "deep3d",
        "Idempotency-Key": f"{notice.id}",
        SIGNATURE: sign(site.settings.webhook_key, body, round(time.time())),
    }
    _post(recipient.address, body, headers)


def sign(key: str, body: bytes, seconds: int) -> str:
    """The signature of a body sent at a time."""
    digest = hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def public_address(host: str) -> str:
    """An IP address of a host; the connection goes to just this one, so that no second look-up gives another.

    Raises: AddressRefused if any of its addresses lies in a private range, Declined if it has none.
    """
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise Declined(f"{host}: no such host") from error
    for address in found:
        if not _is_public(address):
            raise AddressRefused(f"{host}: leads to {address}, which is not on the public internet")
    return min(found)


def _is_public(address: str) -> bool:
    """Of IPv6 only what is assigned to the internet, without the ranges that lead to an IPv4 address inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in _INTERNET6 and ip.is_global and ip.sixtofour is None and ip.teredo is None
    return ip.is_global and not ip.is_multicast


class _Connection(http.client.HTTPSConnection):
    """A connection to one address of a host, which another thread can break off at any moment."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(host, PORT, timeout=TIMEOUT_SECONDS)
        self._address = address
        self._wire: socket.socket | None = None
        self.broken_off = False

    def connect(self) -> None:
        """Connect, and make sure that it is the host."""
        sock = socket.create_connection((self._address, self.port), self.timeout)
        self._wire = sock.dup()  # the same connection, whatever becomes of the socket
        if self.broken_off:
            self.break_off()
        self.sock = _trust().wrap_socket(sock, server_hostname=self.host)

    def break_off(self) -> None:
        """Let whoever waits for the other side wait no longer."""
        self.broken_off = True
        if self._wire is not None:
            with suppress(OSError):  # closed meanwhile
                self._wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        super().close()
        if self._wire is not None:
            self._wire.close()


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    parts = urlsplit(address)
    host = str(parts.hostname)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Connection(host, public_address(host))
    watch = threading.Timer(TIMEOUT_SECONDS, connection.break_off)
    watch.start()
    try:
        connection.request("POST", target, body, {**headers, "Host": host})
        status = connection.getresponse().status  # nobody reads what it says
    except (OSError, http.client.HTTPException) as error:
        raise Declined(f"{host}: {type(error).__name__}") from error
    finally:
        watch.cancel()
        connection.close()
    if connection.broken_off:
        raise Declined(f"{host}: takes too long")
    if not 200 <= status < 300:
        raise Declined(f"{host}: answered {status}")
