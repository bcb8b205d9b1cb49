"""What a worker process does beside its jobs, each in a thread: beat, relay, sweep, send notices, make slow
pictures, watch over itself.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from dramatiq.broker import Broker
from sqlalchemy import delete

from serving.jobs import expiry, heartbeats, outbox, runs
from serving.metrics import WorkerMetrics
from serving.notices import sending
from serving.pictures import orders
from serving.site import Site
from serving.store.tables import WorkerRow
from serving.worker import broker as brokers
from serving.worker.reconstruct import ReconstructJob

RELAY_SECONDS = 0.1
SWEEP_SECONDS = 2.0
NOTICE_SECONDS = 0.5
RENDERING_SECONDS = 0.5
EXPIRY_SECONDS = 60.0
AFTER_ERROR_SECONDS = 2.0
RENDERING_NICENESS = 10

_log = logging.getLogger(__name__)


class Chores:
    """The threads of one worker process; it counts as at work from `start` to `stop`."""

    def __init__(self, site: Site, broker: Broker, metrics: WorkerMetrics) -> None:
        self._site = site
        self._broker = broker
        self._metrics = metrics
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._broker_life = ""
        self.worker_id = ""

    def start(self, job: ReconstructJob) -> None:
        """Enter this process among the workers, and begin."""
        self.worker_id = heartbeats.register(self._site)
        for name, seconds, action in (
            ("beat", heartbeats.BEAT_SECONDS, self._beat),
            ("relay", RELAY_SECONDS, self._relay),
            ("sweep", SWEEP_SECONDS, self._sweep),
            ("notices", NOTICE_SECONDS, self._send_notices),
            ("renderings", RENDERING_SECONDS, self._make_renderings),
            ("expiry", EXPIRY_SECONDS, lambda: expiry.expire(self._site)),
            ("watch", 1.0, lambda: self._watch(job)),
        ):
            thread = threading.Thread(target=self._repeat, args=(seconds, action, name), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End, and leave: whatever this process still has goes to the others."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        heartbeats.leave(self._site, self.worker_id)

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
        if not heartbeats.beat(self._site, self.worker_id):
            _log.warning("taken for dead; what was held here has been given to others")
            self.worker_id = heartbeats.register(self._site)

    def _relay(self) -> None:
        while outbox.relay(self._site, lambda job_id: brokers.send(self._broker, job_id)):
            pass

    def _sweep(self) -> None:
        """Take over from dead workers, and send again what may have been lost with one, or with the broker."""
        lost = False
        for row in heartbeats.dead(self._site):
            _log.warning("worker %s on %s is gone", row.pid, row.host)
            with self._site.database.session() as session:
                session.execute(delete(WorkerRow).where(WorkerRow.id == row.id, WorkerRow.beat_at == row.beat_at))
            lost = True
        runs.take_from_dead(self._site)
        life = brokers.life(self._broker)
        if lost or life != self._broker_life:
            outbox.send_again(self._site)
            self._broker_life = life

    def _send_notices(self) -> None:
        while not self._stop.is_set() and (outcome := sending.send_next(self._site, self.worker_id)):
            self._metrics.mails.labels(outcome).inc()

    def _make_renderings(self) -> None:
        with suppress(OSError, AttributeError):  # of this thread alone, which only Linux knows: faces come first
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), RENDERING_NICENESS)
        while not self._stop.is_set() and orders.make_next(self._site, self.worker_id):
            pass

    def _watch(self, job: ReconstructJob) -> None:
        """Nothing in a process stops native code that hangs, but the end of the process does."""
        held = job.longest_held()
        if held > self._site.settings.job_seconds:
            _log.error("a job takes %.0f s: this worker ends itself, its jobs go on alone", held)
            time.sleep(0.1)  # for the log
            os.kill(os.getpid(), signal.SIGKILL)
