"""Everything dies meanwhile: all workers again and again, Redis and what it knows, PostgreSQL, the mail server; one
worker sleeps for a while, and one has a wrong clock.
"""

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
AWAY_SECONDS = (3.0, 14.0)  # of the database: shorter than a worker may be silent, and longer
SUSPENDED_SECONDS = 30.0
SLOW_ANSWER_SECONDS = 1.0  # of the mail server, while a worker sleeps
LATEST_SECONDS = 30.0  # from the last fault to the last job


class _Disasters:
    """What happens to a site, and how long it takes until a job is done again."""

    def __init__(self, local: ProductionSite, mail_seconds: float) -> None:
        self.kills: list[float] = []  # seconds from each kill of the workers to the next job done
        self.times: list[tuple[float, float]] = []  # when a side of the talk about mails died: from, to; since 1970
        self._local = local
        self._mail_seconds = mail_seconds

    def kill_workers(self) -> None:
        with self._death() as moment:
            for worker in self._local.workers:
                worker.kill()
        time.sleep(RESTART_SECONDS)
        for worker in self._local.workers:
            worker.start()
        wait_until(lambda: _done_since(self._local, moment) or not _number_of(self._local, *UNFINISHED), "a job done")
        if ends := _done_since(self._local, moment):
            self.kills.append(min(ends) - moment)

    def empty_redis(self) -> None:
        self._local.redis.forget()

    def kill_redis(self) -> None:
        self._local.redis.kill()
        self._local.redis.start()

    def stop_postgres(self, seconds: float) -> None:
        self._local.postgres.stop()
        time.sleep(seconds)
        self._local.postgres.start()

    def suspend_worker(self) -> None:
        self._local.mailbox.answer_seconds = SLOW_ANSWER_SECONDS
        self._local.workers[0].suspend()
        time.sleep(SUSPENDED_SECONDS)
        self._local.workers[0].resume()
        self._local.mailbox.answer_seconds = 0.0

    def stop_mail(self) -> None:
        with self._death():
            self._local.mailbox.stop()
        threading.Timer(self._mail_seconds, self._local.mailbox.start).start()

    @contextmanager
    def _death(self) -> Iterator[float]:
        """Workers or the mail server die within the block; gives when it began."""
        begin = time.time()
        yield begin
        self.times.append((begin, time.time()))


def run_crashes(local: ProductionSite, photos: Sequence[Path], jobs: int, kills: int, mail_seconds: float) -> Report:
    """Submit so many jobs, in as many portions as there are disasters: each strikes when one of a portion is done.

    Raises: Declined.
    """
    client = local.client()
    start = time.perf_counter()
    disasters = _Disasters(local, mail_seconds)
    plan = _plan(disasters, kills)
    for count, strike in enumerate(plan, 1):
        first, last = jobs * (count - 1) // len(plan), jobs * count // len(plan)
        for number in range(first, last):
            client.submit([photos[number % len(photos)]], email=f"anna{number}@example.com")
        wait_until(lambda first=first, last=last: last - _number_of(local, *UNFINISHED) > first, "a job is done")
        strike()
    last_fault = time.perf_counter()
    wait_until(lambda: not _number_of(local, *UNFINISHED), "all jobs are over")
    return _report(local, disasters, jobs, start, last_fault)


def _report(local: ProductionSite, disasters: _Disasters, jobs: int, start: float, last_fault: float) -> Report:
    """What became of the jobs and mails of a test that began at `start` and is over now."""
    end = time.perf_counter()
    mails = count_mails(local, disasters.times).report()
    done, failed, late = _number_of(local, Status.DONE), _number_of(local, Status.FAILED), end - last_fault
    return Report(
        {
            "workers": str(len(local.workers)),
            "jobs submitted, done, failed": f"{jobs}, {done}, {failed}",
            "runs begun": _sum_of(local, Job.attempts),
            "time of the test (s)": end - start,
            "last fault to the last job done (s)": late,
            "kills of all workers with work left": len(disasters.kills),
            "kill to the next job done, median (s)": quantile(disasters.kills, 0.5),
            "kill to the next job done, longest (s)": quantile(disasters.kills, 1),
            **mails.figures,
        },
        [
            *[f"{jobs - done} of {jobs} jobs are not done"] * (done != jobs),
            *[f"the last job was done {late:.0f} s after the last fault"] * (late > LATEST_SECONDS),
            *mails.faults,
        ],
    )


def _plan(disasters: _Disasters, kills: int) -> list[Callable[[], None]]:
    """The disasters in their order, with the kills spread between the others."""
    shortly, long = AWAY_SECONDS
    others = [
        disasters.stop_mail,
        disasters.empty_redis,
        lambda: disasters.stop_postgres(shortly),
        disasters.suspend_worker,
        lambda: disasters.stop_postgres(long),
        disasters.kill_redis,
    ]
    placed = [((kill + 0.5) / kills, disasters.kill_workers) for kill in range(kills)]
    placed += [((number + 0.4) / len(others), strike) for number, strike in enumerate(others)]
    return [strike for _, strike in sorted(placed, key=lambda each: each[0])]


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
