"""The database: SQLite in write-ahead mode, or PostgreSQL, brought to the present schema by Alembic."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from serving.errors import SettingsError
from serving.store.reserve import Reserve

BUSY_SECONDS = 30  # how long SQLite waits for another writer

_log = logging.getLogger(__name__)
_READING = "deep3d_reading"  # execution option of connections that write nothing


class Database:
    """Sessions of one database.

    with database.session() as session:  # commits in the end, rolls back after an error
        session.add(row)
    with database.reading() as session:  # for looking only: in SQLite it waits for no writer
        session.get(Job, 1)
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        is_file = self.engine.dialect.name == "sqlite"
        self._reserve = Reserve(Path(f"{self.engine.url.database}.reserve")) if is_file else None
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(self.engine.execution_options(**{_READING: True}), expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed at the end of the block, rolled back after an error."""
        with self._sessions() as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing."""
        with self._readers() as session:
            yield session

    @contextmanager
    def with_reserve(self) -> Iterator[None]:
        """Room in SQLite's file for the block, on a full disk, and again afterwards."""
        if self._reserve is None:
            yield
            return
        with self._reserve.given_up():
            yield
            self.forget_deleted()

    def forget_deleted(self) -> None:
        """Let nothing of deleted rows stay in SQLite's write-ahead log; a reader or a full disk may put that off to the
        next call.
        """
        if self.engine.dialect.name != "sqlite":
            return
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            _log.warning("what was deleted stays in the write-ahead log for a while: %s", error)
        finally:
            connection.close()

    def upgrade(self) -> None:
        """Make the tables, or bring them to the present schema.

        Raises: SettingsError if the database cannot be reached, or a newer version of deep3d has used it.
        """
        try:
            with self.reading() as session:
                done = _is_upgraded(session.connection())
            if not done:
                with self.engine.connect() as connection:
                    _upgrade(connection)
                self.engine.dispose()  # that connection waited longer than others may
            if self._reserve is not None:
                self._reserve.fill()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise SettingsError(
                f"DEEP3D_DATABASE_URL: {self.engine.url.render_as_string()} cannot be used ({reason}); "
                "check that the server runs and knows this user and database"
            ) from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _is_upgraded(connection: Connection) -> bool:
    """Whether the last migration has been run: the names of their files begin with their numbers.

    Raises: SettingsError if one has been run that this version does not know.
    """
    if not inspect(connection).has_table("alembic_version"):
        return False
    names = [file.name for file in files("serving.store.migrations.versions").iterdir()]
    newest = max(name.partition("_")[0] for name in names if name[0].isdigit())
    present = connection.scalar(text("SELECT version_num FROM alembic_version")) or ""
    if present > newest:
        raise SettingsError(
            "DEEP3D_DATABASE_URL: a newer version of deep3d has used this database; start that version, "
            "or restore the backup from before it"
        )
    return present == newest


def _upgrade(connection: Connection) -> None:
    from alembic import command  # 12 MB, which a process keeps, and hardly one needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "serving.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            from serving.store.postgres import postgres_engine  # whose driver the embedded mode does not need

            return postgres_engine(parsed)
        if parsed.get_backend_name() != "sqlite" or not parsed.database:
            raise ArgumentError("neither PostgreSQL nor a SQLite file")
    except ArgumentError as error:
        raise SettingsError(
            f"DEEP3D_DATABASE_URL: {error}; give postgresql://user:password@host/name or sqlite:////path/file"
        ) from error
    try:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"DEEP3D_DATABASE_URL: the folder of {parsed.database} cannot be created ({error.strerror}); choose another"
        ) from error
    engine = create_engine(
        parsed, pool_size=20, max_overflow=30, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    """Transactions begin where SQLAlchemy says, not where the driver guesses."""
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Writers wait for each other from the start, so that none fails half-way because another was there first."""
    reading = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
