"""The worker process: loads the network, takes messages, and does the chores."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

from dramatiq import Worker, set_broker
from dramatiq.broker import Broker
from prometheus_client import start_http_server

from deep3d import Deep3DError, Reconstructor
from deep3d.memory import forget_code, give_back_memory
from deep3d.runtime.cores import take_over_process, usable_cores
from serving.errors import ServingError
from serving.logs import configure_logs
from serving.metrics import WorkerMetrics
from serving.settings import Settings
from serving.site import Site
from serving.store.storage import keep_files_private
from serving.worker.chores import Chores
from serving.worker.face_finding import FaceFinder
from serving.worker.files import write_files
from serving.worker.messages import connect, declare
from serving.worker.reconstruct import ReconstructJob, Write
from serving.worker.warm_up import warm_up

POLL_MS = 100  # of the threads, for messages
SHUTDOWN_MS = 60_000  # for the jobs at hand; what is not done then is taken over by others

_log = logging.getLogger(__name__)


def make_worker(site: Site, finder: FaceFinder, write: Write = write_files) -> Broker:
    """A broker whose workers work on the jobs of a site."""
    metrics = WorkerMetrics()
    messages = connect(site.settings)
    job = ReconstructJob(site, finder, messages.worker_id, metrics, write)
    declare(messages.broker, job)
    messages.broker.add_middleware(Chores(site, messages, job, metrics))
    if site.settings.metrics_port:
        start_http_server(site.settings.metrics_port, site.settings.metrics_host, registry=metrics.registry)
    return messages.broker


def load_network(settings: Settings) -> FaceFinder:
    """What finds the faces, ready to work: it has done so once."""
    take_over_process()
    threads = settings.threads or max(1, usable_cores() // 2)  # on the others, faces are written meanwhile
    reconstructor = Reconstructor.load(runtime=settings.runtime, threads=threads, goal="throughput", hair="shell")
    warm_up(reconstructor, write_files)
    give_back_memory()
    forget_code()
    return reconstructor


def setup() -> None:
    """Make this process a worker, as its environment says; for the `dramatiq` command."""
    set_broker(_from_environment(load_network, write_files)[0])


def main(load: Callable[[Settings], FaceFinder] = load_network, write: Write = write_files) -> None:
    """Work until a signal says so, or until whoever started this process closes its standard input."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        broker, settings = _from_environment(load, write)
    except (ServingError, Deep3DError) as error:
        sys.exit(f"deep3d: {error}")
    # A read of sys.stdin itself would hold its lock, which the end of the process wants.
    threading.Thread(target=lambda: (os.read(sys.stdin.fileno(), 1), stop.set()), daemon=True).start()
    worker = Worker(broker, worker_threads=settings.worker_threads, worker_timeout=POLL_MS)
    worker.start()
    _log.info("at work")
    stop.wait()
    worker.stop(timeout=SHUTDOWN_MS)


def _from_environment(load: Callable[[Settings], FaceFinder], write: Write) -> tuple[Broker, Settings]:
    """The network is loaded before the first message is taken: a process that cannot work drains no queue."""
    settings = Settings.from_env(os.environ)
    keep_files_private(settings.data_dir)
    configure_logs(settings.log_level)
    site = Site.open(settings)
    return make_worker(site, load(settings), write), settings
