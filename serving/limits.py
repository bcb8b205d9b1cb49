"""Who may do how much: submissions of an address, mails to a mailbox, guesses at the password."""

from __future__ import annotations

import ipaddress
import logging
import time
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse

from serving.errors import Busy, Refused
from serving.ids import digest
from serving.jobs.addresses import mailbox_of
from serving.language import N_
from serving.places import Places
from serving.settings import Settings

GUESSES = parse("10 per minute")  # at the password, of one network or one browser
SLOW_SECONDS = 2.0  # for a guess beyond that
SLOW_PATIENCE_SECONDS = 10.0  # until somebody who wants to guess slowly is sent away
SLOW_WAITING = 4  # who wait for their turn at that
NETWORK6_BITS = 64  # what a household or a rented machine has for itself

TOO_MANY_MAILS = N_("This address got many emails in the last hour. Please leave it empty, or try again later.")

_IN_TIME: dict[str, Any] = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}
"""Seconds that a Redis that hangs may hold up a request, until nobody is counted, or everybody here."""

_log = logging.getLogger(__name__)


def network() -> str:
    """The network that a request comes from: an IPv4 address, or the first half of an IPv6 one."""
    return network_of(request.remote_addr or "")


def network_of(address: str) -> str:
    """As `network`, of an address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a socket has none
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, NETWORK6_BITS), strict=False))


class Limits:
    """Counts for the whole site where there is Redis, else for this process."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.limiter = Limiter(
            network,
            app=app,
            storage_uri=settings.limits,
            storage_options=_IN_TIME if settings.limits.startswith("redis") else {},
            in_memory_fallback=[],
            in_memory_fallback_enabled=settings.limits != "memory://",  # without Redis each process counts for itself
        )
        self._mails = parse(f"{settings.mails_per_hour} per hour")
        self.slowly = Places("guesses", 1, waiting=SLOW_WAITING, patience=SLOW_PATIENCE_SECONDS)

    def count_mail(self, address: str | None) -> None:
        """Count a mail to somebody, who may not have asked for it.

        Raises: Refused.
        """
        if address is not None and not self._hit(self._mails, "mail", digest(mailbox_of(address))):
            raise Refused("email", TOO_MANY_MAILS, 429)

    def count_guess(self, whose: str) -> None:
        """Count a wrong password."""
        self._hit(GUESSES, "guess", whose)

    def may_guess(self, whose: str) -> bool:
        """Whether a password may be tried at once."""
        try:
            return self.limiter.limiter.test(GUESSES, "guess", whose)
        except Exception:  # Redis is away
            return True

    def guess_slowly(self) -> bool:
        """Wait for a turn to try one all the same: so nobody is kept out by others' guesses. False if many wait."""
        try:
            with self.slowly.take():
                time.sleep(SLOW_SECONDS)
        except Busy:
            return False
        return True

    def _hit(self, limit: RateLimitItem, *whose: str) -> bool:
        try:
            return self.limiter.limiter.hit(limit, *whose)
        except Exception:  # Redis is away
            _log.warning("nothing can be counted at the moment")
            return True
