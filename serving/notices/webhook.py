"""Webhooks: a signed POST to an address that somebody gave, never to one inside our own network."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

from serving.errors import AddressRefused
from serving.jobs import reasons
from serving.jobs.recipients import Recipient
from serving.site import Site
from serving.store.tables import Job, Notice

PORT = 443
TIMEOUT_SECONDS = 10.0  # of the whole call
CONNECT_SECONDS = 3.0  # of each address that is tried, of which a host may have several
MOST_ADDRESSES = 4  # of a host that are tried
SIGNATURE = "X-Deep3D-Signature"  # t=SECONDS,v1=HEX: HMAC-SHA256 of "SECONDS.BODY" with the site's webhook key

_INTERNET6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
            "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 "
            "198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
            "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3ffe::/16 3fff::/20"
        ).split(),
    )
)
"""What the registries of IANA keep for special purposes (RFC 6890), multicast and the former 6bone, also where packets
may go there: anycast leads to a machine nearby, 6to4 and Teredo to an IPv4 address inside. Python's own list differs
from version to version.
"""


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


def public_addresses(host: str) -> list[str]:
    """The IP addresses of a host, the one to try first first; the connection goes to just these, so that no second
    look-up gives another.

    Raises: AddressRefused if any of them is not on the public internet, Declined if there is none.
    """
    found = list(dict.fromkeys(_look_up(host)))
    for address in found:
        if not _is_public(address):
            raise AddressRefused(f"{host}: leads to {address}, which is not on the public internet")
    return found[:MOST_ADDRESSES]


def _look_up(host: str) -> list[str]:
    """Nothing ends a look-up that takes too long: it goes on in its own thread, and nobody waits for it.

    Raises: Declined.
    """
    answer: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    threading.Thread(target=lambda: answer.put(_resolved(host)), name="look-up", daemon=True).start()
    try:
        found = answer.get(timeout=TIMEOUT_SECONDS / 2)
    except queue.Empty:
        raise Declined(f"{host}: cannot be looked up in time") from None
    if not found:
        raise Declined(f"{host}: no such host")
    return found


def _resolved(host: str) -> list[str]:
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):  # UnicodeError: a part of the name is empty or too long
        return []


def _is_public(address: str) -> bool:
    """Whether an address is one of the internet's, with no special purpose; of IPv6 only what is assigned at all."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return (ip.version == 4 or ip in _INTERNET6) and not any(ip in network for network in _SPECIAL)


class _Connection(http.client.HTTPSConnection):
    """A connection to a host by one of some addresses, which another thread can break off at any moment."""

    def __init__(self, host: str, addresses: Sequence[str]) -> None:
        super().__init__(host, PORT, timeout=TIMEOUT_SECONDS)
        self._addresses = addresses
        self._wire: socket.socket | None = None
        self.broken_off = False

    def connect(self) -> None:
        """Connect, and make sure that it is the host."""
        sock = self._reached()
        sock.settimeout(self.timeout)
        self._wire = sock.dup()  # the same connection, whatever becomes of the socket
        if self.broken_off:
            self.break_off()
        self.sock = _trust().wrap_socket(sock, server_hostname=self.host)

    def _reached(self) -> socket.socket:
        """Raises: OSError, that of the last address."""
        *others, last = self._addresses
        for address in others:
            with suppress(OSError):
                return socket.create_connection((address, self.port), CONNECT_SECONDS)
        return socket.create_connection((last, self.port), CONNECT_SECONDS)

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
    end = time.monotonic() + TIMEOUT_SECONDS
    connection = _Connection(host, public_addresses(host))
    watch = threading.Timer(end - time.monotonic(), connection.break_off)
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
