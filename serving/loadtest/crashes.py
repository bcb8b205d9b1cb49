"""Everything dies meanwhile: the worker again and again, Redis twice, PostgreSQL once, the mail server for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from serving.loadtest.local_site import ProductionSite
from serving.loadtest.mails import count_mails
from serving.loadtest.report import Report, quantile
from serving.loadtest.servers import wait_until
from serving.store.tables import UNFINISHED, Job, Status

RESTART_SECONDS = 2.0  # until systemd starts a worker again that has died


class _Disasters:
    """What happens to a site, and how long it takes until a job is done again."""

    def __init__(self, local: ProductionSite, mail_seconds: float) -> None:
        self.kills: list[float] = []  # seconds from each kill of the worker to the next job done
        self.times: list[tuple[float, float]] = []  # of all, from when to when something died; seconds since 1970
        self._local = local
        self._mail_seconds = mail_seconds

    def kill_worker(self) -> None:
        with self._death() as moment:
            self._local.kill_worker()
        time.sleep(RESTART_SECONDS)
        self._local.start_worker()
        wait_until(lambda: _done_since(self._local, moment) or not _number_of(self._local, *UNFINISHED), "a job done")
        if ends := _done_since(self._local, moment):
            self.kills.append(min(ends) - moment)

    def restart_redis(self) -> None:
        with self._death():
            self._local.redis.stop()
            self._local.redis.start()

    def restart_postgres(self) -> None:
        with self._death():
            self._local.postgres.stop()
            self._local.postgres.start()

    def stop_mail(self) -> None:
        with self._death():
            self._local.mailbox.stop()
        threading.Timer(self._mail_seconds, self._local.mailbox.start).start()

    @contextmanager
    def _death(self) -> Iterator[float]:
        """Something dies within the block; gives when it began."""
        begin = time.time()
        yield begin
        self.times.append((begin, time.time()))


def run_crashes(local: ProductionSite, photos: Sequence[Path], jobs: int, kills: int, mail_seconds: float) -> Report:
    """Submit so many jobs, and let the disasters come as they are done, spread evenly over them.

    Raises: Declined.
    """
    client = local.client()
    start = time.perf_counter()
    for number in range(jobs):
        client.submit([photos[number % len(photos)]], email="anna@example.com")
    disasters = _Disasters(local, mail_seconds)
    for done, strike in _plan(disasters, jobs, kills):
        wait_until(lambda done=done: jobs - _number_of(local, *UNFINISHED) >= done, f"{done} jobs are over")
        strike()
    wait_until(lambda: not _number_of(local, *UNFINISHED), "all jobs are over")
    took = time.perf_counter() - start
    mails = count_mails(local, disasters.times).report()
    done, failed = _number_of(local, Status.DONE), _number_of(local, Status.FAILED)
    return Report(
        {
            "jobs submitted, done, failed": f"{jobs}, {done}, {failed}",
            "runs begun": _sum_of(local, Job.attempts),
            "time of the test (s)": took,
            "kills of the worker with work left": len(disasters.kills),
            "kill to the next job done, median (s)": quantile(disasters.kills, 0.5),
            "kill to the next job done, longest (s)": quantile(disasters.kills, 1),
            **mails.figures,
        },
        [f"{jobs - done} of {jobs} jobs are not done"] * (done != jobs) + [*mails.faults],
    )


def _plan(disasters: _Disasters, jobs: int, kills: int) -> list[tuple[float, Callable[[], None]]]:
    """Each disaster with the number of jobs that are over before it strikes."""
    others = [
        (0.2, disasters.stop_mail),
        (0.32, disasters.restart_redis),
        (0.52, disasters.restart_postgres),
        (0.72, disasters.restart_redis),
    ]
    plan = [(jobs * (kill + 0.5) / (kills + 1), disasters.kill_worker) for kill in range(kills)]
    plan += [(jobs * share, strike) for share, strike in others]
    return sorted(plan, key=lambda each: each[0])


def _number_of(local: ProductionSite, *statuses: Status) -> int:
    return len(_ask(local, select(Job.id).where(Job.status.in_(statuses))))


def _done_since(local: ProductionSite, moment: float) -> list[float]:
    return _ask(local, select(Job.finished_at).where(Job.status == Status.DONE, Job.finished_at > moment))


def _sum_of(local: ProductionSite, column) -> int:
    return _ask(local, select(func.sum(column)))[0]


def _ask(local: ProductionSite, question) -> list:
    while True:
        try:
            with local.site.database.reading() as session:
                return list(session.scalars(question))
        except OperationalError:  # PostgreSQL starts at the moment
            time.sleep(0.2)
