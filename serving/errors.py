"""What the site refuses or cannot do, told to people in one line each."""

from __future__ import annotations


class ServingError(Exception):
    """Root of everything this package raises on purpose."""


class SettingsError(ServingError):
    """A setting is missing, unknown or impossible."""


class Refused(ServingError):
    """A request is refused: the field, the reason, and the HTTP status.

    `text` is English with places such as %(name)s, so that pages can say it in another language; `values` fill them.
    """

    def __init__(self, field: str, text: str, status: int = 422, **values: object) -> None:
        self.message = text % values if values else text
        super().__init__(self.message)
        self.field = field
        self.text = text
        self.values = values
        self.status = status


class Busy(ServingError):
    """Too many requests of one kind at once; `retry_after` is the expected wait in seconds."""

    def __init__(self, retry_after: int, what: str = "requests") -> None:
        super().__init__(f"Too many {what} are waiting. Please try again in {retry_after} seconds.")
        self.retry_after = retry_after


class QueueFull(Busy):
    """The queue is full."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after, "photos")


class JobUnknown(ServingError):
    """No job has that id."""


class JobGone(ServingError):
    """The job was deleted or has expired."""


class StorageError(ServingError):
    """Files cannot be written or read at the moment."""


class StorageFull(StorageError):
    """The disk is full."""


class RenderingFailed(ServingError):
    """Pictures of a face could not be made."""


class AddressRefused(ServingError):
    """A webhook leads to an address that the site does not call."""
