"""Webhooks: a signed POST to an address that somebody gave, never to one inside our own network."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
import time
from urllib.parse import urlsplit

import urllib3

from serving.errors import AddressRefused
from serving.jobs import reasons
from serving.jobs.recipients import Recipient
from serving.site import Site
from serving.store.tables import Job, Notice

TIMEOUT_SECONDS = 10.0
SIGNATURE = "X-Deep3D-Signature"  # t=SECONDS,v1=HEX: HMAC-SHA256 of "SECONDS.BODY" with the site's webhook key


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
        ip = ipaddress.ip_address(address.partition("%")[0])
        inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
        if not (ip.is_global and inner.is_global) or ip.is_multicast:
            raise AddressRefused(f"{host}: leads to {address}, which is not on the public internet")
    return min(found)


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    parts = urlsplit(address)
    host = str(parts.hostname)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool = urllib3.HTTPSConnectionPool(
        public_address(host),
        server_hostname=host,
        assert_hostname=host,
        timeout=urllib3.Timeout(total=TIMEOUT_SECONDS),
        retries=False,
    )
    try:
        with pool:
            answer = pool.urlopen(
                "POST", target, body, {**headers, "Host": host}, redirect=False, preload_content=False
            )
            answer.close()  # nobody reads what it says
    except urllib3.exceptions.HTTPError as error:
        raise Declined(f"{host}: {type(error).__name__}") from error
    if not 200 <= answer.status < 300:
        raise Declined(f"{host}: answered {answer.status}")
