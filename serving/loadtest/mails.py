"""Whether every mail came, once, and how soon after the end of its job."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from serving.loadtest.local_site import LocalSite
from serving.loadtest.report import Report, quantile
from serving.loadtest.servers import wait_until
from serving.store.tables import Job, Notice

WINDOW_SECONDS = 0.2  # from a server's acceptance to the arrival of its answer, on a machine with much to do


@dataclass(frozen=True)
class MailCount:
    """What became of the mails of a test."""

    due: int
    delays: Sequence[float]  # seconds from the end of the job to the arrival of its mail, of those that came
    doubled: int  # mails that came more than once
    doubled_outside: int  # of these, those without a crash before the answer to the first copy

    def report(self) -> Report:
        """The figures."""
        lost = self.due - len(self.delays)
        return Report(
            {
                "mails due, lost, doubled": f"{self.due}, {lost}, {self.doubled}",
                "end of a job to its mail, longest (s)": quantile(self.delays, 1),
            },
            [f"{lost} mails are lost"] * bool(lost)
            + [f"{self.doubled_outside} mails came twice without a crash in between"] * bool(self.doubled_outside),
        )


def count_mails(local: LocalSite, crashes: Sequence[tuple[float, float]] = ()) -> MailCount:
    """Wait until nothing is left to send, and count; `crashes` tell from when to when a side of that talk died."""
    wait_until(lambda: not _unsent(local), "all mails are out")
    arrivals: dict[int, list[float]] = defaultdict(list)
    for message_id, moment in local.mailbox.received:
        arrivals[_notice_number(message_id)].append(moment)
    with local.site.database.reading() as session:
        ends = dict(session.execute(select(Notice.id, Job.finished_at).join(Job, Job.id == Notice.job_id)).all())
    doubled = [times for times in arrivals.values() if len(times) > 1]
    return MailCount(
        due=len(ends),
        delays=[max(0.0, min(arrivals[notice]) - (end or 0.0)) for notice, end in ends.items() if arrivals[notice]],
        doubled=len(doubled),
        doubled_outside=sum(not explained(times[0], crashes) for times in doubled),
    )


def explained(first: float, crashes: Sequence[tuple[float, float]]) -> bool:
    """Whether a mail may come again that a server first took at that time: nobody lived to tell or to be told."""
    return any(begin - WINDOW_SECONDS < first <= end for begin, end in crashes)


def _unsent(local: LocalSite) -> int:
    with local.site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Notice).where(Notice.due_at.is_not(None))) or 0


def _notice_number(message_id: str) -> int:
    found = re.match(r"<deep3d\.(\d+)\.", message_id)
    assert found is not None
    return int(found[1])
