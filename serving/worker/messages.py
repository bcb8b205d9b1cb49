"""The messages that bring jobs to workers: by Redis, or inside the only worker process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, Protocol
from uuid import uuid4

import dramatiq
from dramatiq.broker import Broker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name
from dramatiq.middleware import Middleware, Retries
from redis import RedisError

from serving.errors import SettingsError
from serving.jobs import heartbeats
from serving.settings import Settings
from serving.site import Site
from serving.worker.reconstruct import TransientError

QUEUE = ACTOR = "reconstruct"
NAMESPACE = "deep3d"  # of all keys in Redis

SHORTEST_BACKOFF_MS, LONGEST_BACKOFF_MS = 500, 15_000  # a person waits: what can pass is tried again soon, and for ever
ANSWER_SECONDS = 10.0  # until a Redis that hangs counts as away
MAINTENANCE_PER_MILLION = 20_000  # commands; what dead workers left in Redis is swept up within a minute


class Messages(Protocol):
    """The broker as the chores of a worker see it."""

    broker: Broker
    worker_id: str
    """The id under which this process fetches messages, and works."""

    def jobs(self, workers: Collection[str]) -> set[int]:
        """The jobs of which a message waits, or was fetched by one of these workers."""
        ...


class OwnMessages:
    """Messages inside the only worker process, which counts them as they come and go."""

    def __init__(self, *middleware: Middleware) -> None:
        self._counts = _Counts()
        self.broker: Broker = StubBroker(middleware=[_retries(), self._counts, *middleware])
        self.worker_id = str(uuid4())

    def jobs(self, workers: Collection[str]) -> set[int]:
        """The jobs of which this process has a message."""
        return self._counts.jobs()


class RedisMessages:
    """Messages in Redis: in the lists of dramatiq's queues, and in the sets of what each worker has fetched."""

    def __init__(self, url: str, *middleware: Middleware) -> None:
        self._redis_broker = RedisBroker(
            url=url,
            middleware=[_retries(), *middleware],
            namespace=NAMESPACE,
            maintenance_chance=MAINTENANCE_PER_MILLION,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
        )
        self.broker: Broker = self._redis_broker
        self.worker_id = self._redis_broker.broker_id

    def jobs(self, workers: Collection[str]) -> set[int]:
        """The jobs of which Redis has a message that somebody will work on."""
        delayed_first = (dq_name(QUEUE), QUEUE)  # what is due moves from the first to the second
        return {job_id for queue in delayed_first for job_id in self._jobs_of(queue, workers)}

    def _jobs_of(self, queue: str, workers: Collection[str]) -> Iterable[int]:
        redis = self._redis_broker.client
        name = f"{NAMESPACE}:{queue}"
        waiting = redis.lrange(name, 0, -1)
        fetched = [redis.smembers(f"{NAMESPACE}:__acks__.{worker}.{queue}") for worker in workers]
        message_ids = [*waiting, *(message_id for each in fetched for message_id in each)]
        contents = redis.hmget(f"{name}.msgs", message_ids) if message_ids else []
        return [dramatiq.Message.decode(each).args[0] for each in contents if isinstance(each, bytes)]


def connect(settings: Settings, *middleware: Middleware) -> Messages:
    """A broker with nothing but retries of errors that can pass.

    No time limits of Dramatiq's: they interrupt threads, which native code does not notice; chores.py has its own.
    """
    return OwnMessages(*middleware) if settings.embedded else RedisMessages(settings.broker_url, *middleware)


def jobs_in_broker(site: Site) -> set[int] | None:
    """The jobs that the broker of a site has a message of; None where that is inside the worker process.

    Raises: SettingsError if the broker cannot be asked.
    """
    if site.settings.embedded:
        return None
    try:
        return connect(site.settings).jobs([row.id for row in heartbeats.living(site)])
    except RedisError as error:
        reason = str(error).partition("\n")[0]
        raise SettingsError(f"DEEP3D_BROKER_URL: cannot be used ({reason}); check that Redis runs") from error


def declare(broker: Broker, work: Callable[[int], None]) -> None:
    """Let a worker of this broker do the work that messages ask for."""

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
    def reconstruct(job_id: int) -> None:
        work(job_id)


def send(broker: Broker, job_id: int) -> None:
    """Ask for the work on a job."""
    broker.enqueue(dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(job_id,), kwargs={}, options={}))


class _Counts(Middleware):
    """How many messages there are of each job: what is tried again is sent anew before the first is done with."""

    def __init__(self) -> None:
        self._of_job: Counter[int] = Counter()
        self._lock = threading.Lock()

    def jobs(self) -> set[int]:
        with self._lock:
            return {job_id for job_id, count in self._of_job.items() if count > 0}

    def after_enqueue(self, broker: Broker, message: Any, delay: int | None) -> None:
        self._add(message, 1)

    def after_ack(self, broker: Broker, message: Any) -> None:
        self._add(message, -1)

    after_nack = after_ack

    def _add(self, message: Any, more: int) -> None:
        job_id = message.args[0]
        with self._lock:
            self._of_job[job_id] += more
            if not self._of_job[job_id]:
                del self._of_job[job_id]


def _retries() -> Retries:
    return Retries(min_backoff=SHORTEST_BACKOFF_MS, max_backoff=LONGEST_BACKOFF_MS, retry_when=_can_pass)


def _can_pass(_retries: int, error: BaseException) -> bool:
    return isinstance(error, TransientError)
