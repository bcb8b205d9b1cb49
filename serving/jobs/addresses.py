"""Where people want to be told that a job is over: mail addresses and webhooks, checked at the door."""

from __future__ import annotations

import re
from email.utils import parseaddr
from urllib.parse import urlsplit

from serving.errors import Refused
from serving.language import N_
from serving.settings import Settings

LONGEST_ADDRESS = 254  # characters of a mail address

_MAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}@[^@\s\"(),:;<>\[\\\]]+\.[^@\s\"(),:;<>\[\\\].]{2,}")


def clean_email(text: str) -> str | None:
    """A mail address, None for an empty field.

    Raises: Refused.
    """
    address = text.strip()
    if not address:
        return None
    parsed = parseaddr(address)[1]
    if len(address) > LONGEST_ADDRESS or parsed != address or not _MAIL.fullmatch(address) or not address.isprintable():
        raise Refused("email", N_("This does not look like a mail address; please check it, or leave it empty."))
    return address


def clean_webhook(text: str, settings: Settings) -> str | None:
    """The address of a webhook, None for an empty field.

    Raises: Refused.
    """
    address = text.strip()
    if not address:
        return None
    if not settings.webhook_key:
        raise Refused("webhook", "This site sends no webhooks.")
    try:
        parts = urlsplit(address)
        valid = parts.scheme == "https" and parts.hostname and not parts.username and parts.port in (None, 443)
    except ValueError:
        valid = False
    if not valid or len(address) > 500 or not address.isascii() or not address.isprintable():
        raise Refused("webhook", "Please give an https:// address on its usual port, without a user name.")
    return address
