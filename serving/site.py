"""What every part of the site works with: its settings, its database and its files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from serving.sealing import Seal
from serving.settings import Settings
from serving.store.database import Database
from serving.store.storage import Storage


@dataclass(frozen=True)
class Site:
    """One site, opened by one process."""

    settings: Settings
    database: Database
    storage: Storage

    @classmethod
    def open(cls, settings: Settings) -> Site:
        """Connect, and bring the database to the present schema.

        Raises: SettingsError.
        """
        site = cls(settings, Database(settings.database), Storage(settings.storage))
        site.database.upgrade()
        return site

    @cached_property
    def seal(self) -> Seal:
        """Seals what is kept until a mail or webhook is sent: with the key of the settings, which no database holds.

        Raises: SettingsError.
        """
        return Seal(self.settings.site_key(), "notices")

    def close(self) -> None:
        """Close all connections."""
        self.database.close()
