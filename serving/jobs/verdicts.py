"""What the library says of a face beside its shape: the error to expect, and warnings."""

from __future__ import annotations

import json
from dataclasses import dataclass

from serving.errors import StorageError
from serving.store.storage import Storage


@dataclass(frozen=True)
class Verdict:
    """How far a face may be trusted."""

    expected_error: float | None = None  # percent of the face's size; nine of ten such faces have a smaller one
    warnings: tuple[str, ...] = ()  # English sentences, the gravest first


def of_face(storage: Storage, folder: str) -> Verdict:
    """What face.json of a face says; nothing if it cannot be read."""
    try:
        content = json.loads(storage.read(f"{folder}/face.json"))
    except (FileNotFoundError, StorageError, ValueError):
        return Verdict()
    confidence = content.get("confidence") or {}
    return Verdict(confidence.get("landmark_error_percent"), tuple(content.get("warnings", ())))
