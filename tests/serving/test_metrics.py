"""Operators see how the site is doing, from any web process, and how each worker is."""

from prometheus_client import generate_latest

from serving.app import create_app
from serving.jobs import heartbeats, outbox, submission
from serving.jobs.submission import Submission
from serving.metrics import WorkerMetrics, site_registry
from serving.worker.reconstruct import ReconstructJob


def figure(registry, name, **labels):
    return registry.get_sample_value(name, labels)


def test_the_site_is_counted_from_its_database(site, clean_photo):
    registry = site_registry(site)
    assert figure(registry, "deep3d_queue_depth") == 0
    for _ in range(3):
        submission.submit(site, Submission([clean_photo], email="anna@example.com"))
    heartbeats.register(site)
    assert figure(registry, "deep3d_queue_depth") == 3
    assert figure(registry, "deep3d_outbox") == 3
    assert figure(registry, "deep3d_jobs", status="submitted") == 3
    assert figure(registry, "deep3d_workers") == 1
    assert (figure(registry, "deep3d_queue_age_seconds") or -1) >= 0
    assert (figure(registry, "deep3d_disk_free_bytes") or 0) > 0
    outbox.relay(site, lambda job_id: None)
    assert figure(registry, "deep3d_jobs", status="queued") == 3


def test_a_worker_counts_its_batches_stages_and_ends(site, clean_photo, finds_nothing):
    metrics, worker = WorkerMetrics(), heartbeats.register(site)
    job = submission.submit(site, Submission([clean_photo, clean_photo]))
    ReconstructJob(site, finds_nothing, worker, metrics)(job.id)
    assert figure(metrics.registry, "deep3d_batch_photos_sum") == 2
    assert figure(metrics.registry, "deep3d_stage_seconds_count", stage="network") == 1
    assert figure(metrics.registry, "deep3d_worker_jobs_total", status="failed") == 1
    assert b"anna" not in generate_latest(metrics.registry)


def test_they_are_served_as_prometheus_reads_them(settings):
    client = create_app(settings).test_client()
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    assert "deep3d_queue_depth 0.0" in answer.text
    client.application.extensions["site"].close()
