"""The broker that brings messages to workers: Redis, or one inside the only worker process."""

from __future__ import annotations

from collections.abc import Callable

import dramatiq
from dramatiq.broker import Broker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, Retries

from serving.settings import Settings
from serving.worker.reconstruct import CanPass

QUEUE = ACTOR = "reconstruct"
NAMESPACE = "deep3d"  # of all keys in Redis

SHORTEST_BACKOFF_MS, LONGEST_BACKOFF_MS = 500, 15_000  # a person waits: what can pass is tried again soon, and for ever
MAINTENANCE_PER_MILLION = 20_000  # commands; what dead workers left in Redis is swept up within a minute


def make_broker(settings: Settings, *middleware: Middleware) -> Broker:
    """A broker with nothing but retries of errors that can pass.

    No time limits of Dramatiq's: they interrupt threads, which native code does not notice; chores.py has its own.
    """
    every = [
        Retries(min_backoff=SHORTEST_BACKOFF_MS, max_backoff=LONGEST_BACKOFF_MS, retry_when=_can_pass),
        *middleware,
    ]
    if settings.embedded:
        return StubBroker(middleware=every)
    return RedisBroker(
        url=settings.broker_url,
        middleware=every,
        namespace=NAMESPACE,
        maintenance_chance=MAINTENANCE_PER_MILLION,
    )


def declare(broker: Broker, work: Callable[[int], None]) -> None:
    """Let a worker of this broker do the work that messages ask for."""

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
    def reconstruct(job_id: int) -> None:
        work(job_id)


def send(broker: Broker, job_id: int) -> None:
    """Ask for the work on a job."""
    broker.enqueue(dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(job_id,), kwargs={}, options={}))


def life(broker: Broker) -> str:
    """Changes whenever the broker has been started anew, and may have lost messages."""
    if isinstance(broker, RedisBroker):
        return broker.client.info("server")["run_id"]
    return "as long as this process"


def _can_pass(_retries: int, error: BaseException) -> bool:
    return isinstance(error, CanPass)
