"""Figures for Prometheus: of the site, counted in the database when asked, and of one worker process."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from serving.jobs import heartbeats
from serving.site import Site
from serving.store.clock import read_clock
from serving.store.tables import WAITING, Job, Notice, OutboxEntry, Rendering, Status

SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)


def site_registry(site: Site) -> CollectorRegistry:
    """The figures of the whole site, the same from whichever process they are asked."""
    registry = CollectorRegistry()
    registry.register(_SiteFigures(site))
    return registry


class WorkerMetrics:
    """The figures of one worker process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.batch_photos = Histogram(
            "deep3d_batch_photos",
            "Photos that went through the network together.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "deep3d_stage_seconds", "Time of a stage of a job.", ("stage",), buckets=SECONDS, registry=self.registry
        )
        self.jobs = Counter("deep3d_worker_jobs", "Jobs that ended here.", ("status",), registry=self.registry)
        self.retries = Counter("deep3d_worker_retries", "Runs that are tried again later.", registry=self.registry)
        self.mails = Counter("deep3d_notices", "Notices that were tried.", ("outcome",), registry=self.registry)


class _SiteFigures(Collector):
    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> list[Metric]:
        """Nothing: the database is asked only when the figures are."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures of the moment."""
        with self._site.database.reading() as session:
            jobs = dict(session.execute(select(Job.status, func.count()).group_by(Job.status)).all())
            moment = read_clock(session)
            oldest = session.scalar(select(func.min(Job.created_at)).where(Job.status.in_(WAITING)))
            outbox = session.scalar(select(func.count()).select_from(OutboxEntry))
            unsent = session.scalar(select(func.count()).select_from(Notice).where(Notice.due_at.is_not(None)))
            pictures = session.scalar(select(func.count()).select_from(Rendering).where(Rendering.made_at.is_(None)))
        family = GaugeMetricFamily("deep3d_jobs", "Jobs by status.", labels=["status"])
        for status in Status:
            family.add_metric([status.value], jobs.get(status.value, 0))
        yield family
        waiting = sum(jobs.get(status.value, 0) for status in WAITING)
        yield GaugeMetricFamily("deep3d_queue_depth", "Jobs that wait.", waiting)
        age = 0.0 if oldest is None else moment - oldest
        yield GaugeMetricFamily("deep3d_queue_age_seconds", "Age of the oldest job that waits.", age)
        yield GaugeMetricFamily("deep3d_outbox", "Messages that the broker is still to get.", outbox or 0)
        yield GaugeMetricFamily("deep3d_notices_unsent", "Mails and webhooks that wait.", unsent or 0)
        yield GaugeMetricFamily("deep3d_renderings_waiting", "Slow pictures that wait.", pictures or 0)
        yield GaugeMetricFamily("deep3d_workers", "Worker processes.", len(heartbeats.living(self._site)))
        free = self._site.storage.free_bytes()
        if free is not None:
            yield GaugeMetricFamily("deep3d_disk_free_bytes", "Room for files.", free)
