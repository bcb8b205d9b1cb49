"""What `deep3d check-store` finds at the end of a scenario, once everything has had the time to settle."""

from __future__ import annotations

import time

from serving.loadtest.local_site import LocalSite
from serving.loadtest.report import Report
from serving.reconcile import mismatches
from serving.worker.messages import jobs_in_broker

SETTLED_SECONDS = 70.0  # until a notice that a killed worker handed over is looked at again


def checked(local: LocalSite, report: Report) -> Report:
    """A report with that, each thing a fault."""
    left = _what_does_not_match(local)
    return Report({**report.figures, "things that check-store finds": len(left)}, [*report.faults, *left])


def _what_does_not_match(local: LocalSite) -> list[str]:
    end = time.monotonic() + SETTLED_SECONDS
    while (found := mismatches(local.site, jobs_in_broker(local.site), settled_seconds=0)) and time.monotonic() < end:
        time.sleep(1)
    return found
