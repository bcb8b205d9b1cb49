"""Secrets that people hold: the ids of jobs and the keys of programs, of which the database finds the digest."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 24  # 192 bits: nobody guesses one


def new_secret() -> str:
    """A random text of letters, digits, - and _."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What a secret is looked up by; how long the look-up takes says nothing about the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
