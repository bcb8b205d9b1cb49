"""Where people want to be told that a job is over: mail addresses and webhooks, checked at the door."""

from __future__ import annotations

from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from serving.errors import Refused
from serving.language import N_
from serving.settings import Settings


def clean_email(text: str) -> str | None:
    """A mail address, None for an empty field.

    Raises: Refused.
    """
    address = text.strip()
    if not address:
        return None
    try:
        checked = validate_email(address, strict=True, allow_smtputf8=False, check_deliverability=False)
    except EmailNotValidError:
        raise Refused(
            "email", N_("This does not look like an email address. Please check it, or leave it empty.")
        ) from None
    return checked.ascii_email or checked.normalized


def mailbox_of(address: str) -> str:
    """The mailbox that an address leads to, for counting: capitals, dots and what follows a plus make no other."""
    name, _, domain = address.lower().rpartition("@")
    return f"{name.partition('+')[0].replace('.', '')}@{domain}"


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
