"""Who gets a notice, and the secret that it tells them: sealed in the database until it is sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from serving.sealing import Seal


@dataclass(frozen=True)
class Recipient:
    """A mail address or the address of a webhook, and the secret of the job."""

    address: str
    secret: str

    def sealed(self, seal: Seal) -> str:
        """What the database keeps."""
        return seal.seal(json.dumps(asdict(self)))

    @classmethod
    def opened(cls, sealed: str, seal: Seal) -> Recipient:
        """What was sealed.

        Raises: SealBroken.
        """
        return cls(**json.loads(seal.open(sealed)))
