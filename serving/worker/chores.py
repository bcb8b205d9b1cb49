"""What a worker process does beside its jobs, each in a thread: beat, relay, sweep, send notices, make slow
pictures, watch over itself.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from dramatiq import Worker
from dramatiq.broker import Broker
from dramatiq.middleware import Middleware
from sqlalchemy import ColumnElement

from serving.jobs import expiry, heartbeats, outbox, recovery
from serving.metrics import WorkerMetrics
from serving.notices import sending
from serving.notices.pauses import HostPauses
from serving.pictures import making
from serving.site import Site
from serving.store.scratch import Scratch
from serving.store.tables import Notice
from serving.worker.messages import Messages, send
from serving.worker.reconstruct import ReconstructJob

RELAY_SECONDS = 0.1
SWEEP_SECONDS = 2.0
NOTICE_SECONDS = 0.5
WEBHOOK_THREADS = 4
RENDERING_SECONDS = 0.5
EXPIRY_SECONDS = 60.0
SWEEP_UP_SECONDS = 10.0
SHORTEST_VIGIL_SECONDS = 3.0  # in which every worker that lives has beaten, also after an error
AFTER_ERROR_SECONDS = 1.0
RENDERING_NICENESS = 10

_log = logging.getLogger(__name__)


class Chores(Middleware):
    """The threads of one worker process; it counts as at work from their start to their end."""

    def __init__(self, site: Site, messages: Messages, job: ReconstructJob, metrics: WorkerMetrics) -> None:
        self._site = site
        self._messages = messages
        self._job = job
        self._metrics = metrics
        self._me = messages.worker_id
        self._scratch = Scratch(site.settings.data_dir)
        self._vigil = Vigil(site.settings.worker_timeout / 2)
        self._pauses = HostPauses()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Enter this process among the workers, and begin: its threads take their first messages next."""
        self._register()
        for name, seconds, action in (
            ("beat", heartbeats.BEAT_SECONDS, self._beat),
            ("relay", RELAY_SECONDS, self._relay),
            ("sweep", min(SWEEP_SECONDS, self._site.settings.worker_timeout / 4), self._sweep),
            ("mails", NOTICE_SECONDS, lambda: self._send(Notice.kind == "mail")),
            *[(f"webhooks-{n}", NOTICE_SECONDS, partial(self._send, *_webhooks_of(n))) for n in self._webhook_threads],
            ("renderings", RENDERING_SECONDS, self._make_renderings),
            ("expiry", EXPIRY_SECONDS, lambda: expiry.expire(self._site)),
            ("sweep up", SWEEP_UP_SECONDS, self._sweep_up),
            ("watch", 1.0, self._watch),
        ):
            thread = threading.Thread(target=self._repeat, args=(seconds, action, name), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    @property
    def _webhook_threads(self) -> range:
        """None where no webhooks are taken: eight looks a second at a table for nothing."""
        return range(WEBHOOK_THREADS if self._site.settings.webhook_key else 0)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """All jobs at hand are done: end, and leave; whatever this process still has goes to the others."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._scratch.leave(self._me)
        heartbeats.leave(self._site, self._me)

    def _repeat(self, seconds: float, action: Callable[[], None], name: str) -> None:
        failing = False
        while not self._stop.is_set():
            try:
                action()
                failing = False
            except Exception:  # database, broker or store away: they come back
                _log.log(logging.DEBUG if failing else logging.ERROR, "%s failed", name, exc_info=not failing)
                failing = True
            self._stop.wait(AFTER_ERROR_SECONDS if failing else seconds)

    def _beat(self) -> None:
        if not heartbeats.beat(self._site, self._me):
            _log.warning("this worker was taken for dead; others have its jobs now")
            self._register()

    def _register(self) -> None:
        heartbeats.register(self._site, self._me)
        self._scratch.use(self._me)

    def _sweep_up(self) -> None:
        expiry.sweep_up(self._site)
        self._scratch.sweep({*heartbeats.all_ids(self._site), self._me})

    def _relay(self) -> None:
        while outbox.relay(self._site, lambda job_id: send(self._messages.broker, job_id)):
            pass

    def _sweep(self) -> None:
        """Let go on whatever a database, a worker or a broker has broken off."""
        for job_id in recovery.put_back_lost(self._site, self._me, self._job.at_hand):
            _log.warning("its run broke off", extra={"job": job_id})
        if self._vigil.look() > max(self._site.settings.worker_timeout / 2, SHORTEST_VIGIL_SECONDS):
            for row in recovery.take_from_dead(self._site, self._me):
                _log.warning("worker %s on %s is gone", row.pid, row.host)
        for job_id in outbox.send_lost_again(self._site, self._jobs_with_message):
            _log.warning("its message was lost", extra={"job": job_id})

    def _jobs_with_message(self) -> set[int]:
        return self._messages.jobs([row.id for row in heartbeats.living(self._site)])

    def _send(self, *which: ColumnElement[bool]) -> None:
        """Send the notices that meet the conditions; no two threads of a worker have the same ones."""
        while not self._stop.is_set() and (
            outcome := sending.send_next(self._site, self._me, *which, pauses=self._pauses)
        ):
            self._metrics.mails.labels(outcome).inc()

    def _make_renderings(self) -> None:
        with suppress(OSError, AttributeError):  # of this thread alone, which only Linux knows: faces come first
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), RENDERING_NICENESS)
        while not self._stop.is_set() and making.make_next(self._site, self._me):
            pass

    def _watch(self) -> None:
        """Nothing in a process stops native code that hangs, but the end of the process does."""
        taken = self._job.longest_step()
        if taken > self._site.settings.job_seconds:
            _log.error("a step takes %.0f s: this worker ends itself, its jobs go on alone", taken)
            time.sleep(0.1)  # for the log
            os.kill(os.getpid(), signal.SIGKILL)


def _webhooks_of(thread: int) -> tuple[ColumnElement[bool], ...]:
    """Those of one of the threads: a slow server holds up one of them at most, and never the mails."""
    return Notice.kind == "webhook", Notice.id % WEBHOOK_THREADS == thread


class Vigil:
    """How long somebody has looked without a gap.

    Who was suspended, or could not reach the database, cannot tell whether the others were silent meanwhile: they could
    not be heard.
    """

    def __init__(self, longest_gap: float) -> None:
        self._longest_gap = longest_gap  # seconds
        self._since = self._last = -math.inf

    def look(self) -> float:
        """Look, now; the seconds since the first look after which no gap was too long."""
        moment = time.monotonic()
        if moment - self._last > self._longest_gap:
            self._since = moment
        self._last = moment
        return moment - self._since
