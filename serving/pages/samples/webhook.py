import hashlib
import hmac
import time

LATE_SECONDS = 300


def is_ours(body: bytes, header: str, key: str) -> bool:
    """Whether a webhook with this X-Deep3D-Signature was sent by the site, and not long ago."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    signed = parts["t"].encode() + b"." + body
    expected = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts["v1"], expected) and abs(time.time() - float(parts["t"])) < LATE_SECONDS
