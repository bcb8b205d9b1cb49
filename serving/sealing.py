"""What the database must hold but nobody who reads it may know: sealed with a key that is kept elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken


class SealBroken(Exception):
    """The text was sealed with another key, or has been changed."""


class Seal:
    """Seals texts with one key, for one purpose."""

    def __init__(self, key: str, purpose: str) -> None:
        self._key = hmac.new(key.encode(), f"deep3d: {purpose}".encode(), hashlib.sha256).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(self._key))

    def seal(self, text: str) -> str:
        """What may be kept of a text."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text.

        Raises: SealBroken.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealBroken("sealed with another key") from error

    def mark(self, text: str) -> str:
        """The same for the same text, by which it is found again without being kept."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
