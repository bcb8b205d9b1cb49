"""How PostgreSQL is talked to: nobody waits long for a server that has vanished, or that hangs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event

CONNECT_SECONDS = 5
ANSWER_SECONDS = 6.0  # that one answer may take: whoever has asked is told that the database is away
_OPTIONS = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": 10_000,  # milliseconds: a server that has vanished is noticed before a worker counts as dead
    "keepalives_idle": 5,
    "options": "-c idle_in_transaction_session_timeout=15s",  # a suspended process keeps no rows from the others
}


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that breaks off when an answer does not come.

    Timeouts of the server itself, and of TCP, do not see a server that is suspended or whose disk hangs.
    """

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Wait for the answer that `gen` reads.

        Raises: psycopg.OperationalError if it does not come in time; the connection is closed then.
        """
        try:
            return super().wait(gen, *arguments, **{"timeout": self.answer_seconds, **options})
        except psycopg.OperationalError:
            if self.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:  # the answer may still come
                self.close()
            raise


def postgres_engine(url: URL) -> Engine:
    """The engine of a PostgreSQL database."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,  # a restart of the server costs no request
        pool_size=20,
        max_overflow=30,
        pool_timeout=ANSWER_SECONDS,
        connect_args=_OPTIONS,
        hide_parameters=True,
    )
    event.listen(engine, "do_connect", _connect)
    return engine


def _connect(_dialect: Any, _record: Any, arguments: Sequence[Any], options: dict[str, Any]) -> ImpatientConnection:
    return ImpatientConnection.connect(*arguments, **options)
