"""The database's clock: the one time that all processes of a site share, however their own clocks differ."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

JULIAN_DAY_OF_1970 = 2440587.5


class now(FunctionElement[float]):  # noqa: N801 - as SQL's own functions are written
    """Seconds since 1970 at the moment, to a millisecond: for conditions and values of a statement."""

    type = Double()
    inherit_cache = True


def read_clock(session: Session) -> float:
    """The same as a number."""
    return session.scalar(select(now())) or 0.0


@compiles(now, "postgresql")
def _postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(now, "sqlite")
def _sqlite(*_: Any, **__: Any) -> str:
    return f"((julianday('now') - {JULIAN_DAY_OF_1970}) * 86400.0)"
