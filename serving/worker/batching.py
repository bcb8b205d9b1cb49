"""Dynamic batches: whenever the network is free it takes what waits, so that a single photo never waits for company."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Brings items of many threads together, and gives each thread the results of its own.

    `work` makes a result of each item of a batch, in their order; it runs in one of the waiting threads, one batch at a
    time. Whose result is there goes on, while `work` makes the next. A batch has those items that are due first, as
    many as weigh `most` together, or one that weighs more. If a batch fails, those of its items without a result are
    tried one by one, so that only those fail that fail alone.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Iterable[Result]],
        most: int,
        weight: Callable[[Item], int] = lambda _: 1,
        due: Callable[[Item], float] = lambda _: 0.0,
    ) -> None:
        self._work = work
        self._most = most
        self._weight = weight
        self._due = due
        self._waiting: list[_Ticket[Item, Result]] = []
        self._busy = False
        self._changed = threading.Condition()

    def __call__(self, items: Sequence[Item]) -> list[Result | Exception]:
        """The result of each item, or why it has none."""
        mine = [_Ticket[Item, Result](item) for item in items]
        with self._changed:
            self._waiting += mine
        while batch := self._next_batch(mine):
            try:
                self._run(batch)
            finally:
                self._free()
        return [ticket.outcome() for ticket in mine]

    def _next_batch(self, mine: Sequence[_Ticket[Item, Result]]) -> list[_Ticket[Item, Result]]:
        """Wait until all of mine are done, then nothing, or until the network is free, then what it takes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy or all(ticket.done for ticket in mine))
            if all(ticket.done for ticket in mine):
                return []
            self._waiting.sort(key=lambda ticket: self._due(ticket.item))
            weights = accumulate(self._weight(ticket.item) for ticket in self._waiting)
            count = max(1, sum(weight <= self._most for weight in weights))
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            self._busy = True
            return batch

    def _free(self) -> None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()

    def _run(self, batch: Sequence[_Ticket[Item, Result]]) -> None:
        try:
            results = self._work([ticket.item for ticket in batch])
            for ticket, result in zip(batch, results, strict=True):
                with self._changed:
                    ticket.succeed(result)
                    self._changed.notify_all()
        except Exception as error:
            if len(batch) == 1:
                batch[0].fail(error)
                return
            for ticket in batch:
                if not ticket.done:
                    self._run([ticket])
        finally:
            for ticket in batch:
                ticket.fail(RuntimeError("the batch was broken off"))  # which changes nothing where there is a result


class _Ticket(Generic[Item, Result]):
    """An item that waits for its result."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self._outcome: Result | Exception | None = None

    def succeed(self, result: Result) -> None:
        self._settle(result)

    def fail(self, error: Exception) -> None:
        self._settle(error)

    def outcome(self) -> Result | Exception:
        assert self._outcome is not None
        return self._outcome

    def _settle(self, outcome: Result | Exception) -> None:
        if not self.done:
            self._outcome, self.done = outcome, True


class SharedLock:
    """Held by many at a time, or by one exclusively; who waits to hold it exclusively comes before later ones."""

    def __init__(self) -> None:
        self._sharing = 0
        self._exclusive = 0  # who hold it exclusively or wait for that
        self._turn = threading.Lock()  # held by the exclusive holder
        self._changed = threading.Condition()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the lock with others for the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._exclusive)
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock alone for the block."""
        with self._changed:
            self._exclusive += 1
        try:
            with self._turn:
                with self._changed:
                    self._changed.wait_for(lambda: not self._sharing)
                yield
        finally:
            with self._changed:
                self._exclusive -= 1
                self._changed.notify_all()


class Budget:
    """So many pixels may be in memory at a time; who wants more than all waits until nobody else has any."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Have a share for the block."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + amount <= self._total)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()
