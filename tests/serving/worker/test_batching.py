"""Batches form while the network is busy, and one bad item fails alone."""

import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from serving.loadtest.servers import wait_until
from serving.worker.batching import Batcher, Budget, SharedLock


class SlowNetwork:
    """Doubles numbers; it waits inside the first batch until it may go on."""

    def __init__(self):
        self.batches = []
        self.go_on = threading.Event()

    def __call__(self, numbers):
        self.batches.append(list(numbers))
        assert self.go_on.wait(60)
        if -1 in numbers:
            raise ValueError("a bad one")
        return [2 * number for number in numbers]


def submit_all(batcher, network, numbers):
    """Each number from a thread of its own, in their order, while the network is busy with the first."""
    with ThreadPoolExecutor(len(numbers)) as pool:
        results = []
        for place, number in enumerate(numbers):
            results.append(pool.submit(batcher, [number]))
            wait_until(lambda place=place: len(batcher._waiting) + len(network.batches) > place, "the item waits")
        network.go_on.set()
        return [result.result() for result in results]


def test_a_single_item_does_not_wait_for_company():
    network = SlowNetwork()
    network.go_on.set()
    assert Batcher(network, 8)([21]) == [42]
    assert network.batches == [[21]]


def test_what_waits_while_the_network_is_busy_goes_together():
    network = SlowNetwork()
    results = submit_all(Batcher(network, 3), network, [1, 2, 3, 4, 5, 6])
    assert results == [[2], [4], [6], [8], [10], [12]]
    assert network.batches == [[1], [2, 3, 4], [5, 6]]


def test_whose_result_is_there_does_not_wait_for_the_rest_of_the_batch():
    busy, begun, go_on = threading.Event(), threading.Event(), threading.Event()

    def work(numbers):
        if numbers == [0]:
            busy.set()
            assert begun.wait(30)
        for number in numbers:
            assert number != 3 or go_on.wait(30)
            yield 2 * number

    batcher = Batcher[int, int](work, 8)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(batcher, [0])]
        assert busy.wait(30)
        for number in (1, 2, 3):
            sent.append(pool.submit(batcher, [number]))
            wait_until(lambda number=number: len(batcher._waiting) == number, "the item waits")
        begun.set()
        try:
            done, _ = wait(sent[1:3], 30, FIRST_COMPLETED)  # at least one of them is not the thread that works
            assert done and not sent[3].done()
        finally:
            go_on.set()
        assert [each.result() for each in sent] == [[0], [2], [4], [6]]


def test_what_is_done_before_an_error_is_not_done_again():
    made = []

    def work(numbers):
        for number in numbers:
            if number < 0:
                raise ValueError("a bad one")
            made.append(number)
            yield number

    results = Batcher[int, int](work, 8)([1, -1, 2])
    assert results[0] == 1 and isinstance(results[1], ValueError) and results[2] == 2
    assert made == [1, 2]


def test_one_bad_item_fails_alone():
    network = SlowNetwork()
    results = submit_all(Batcher(network, 8), network, [1, 2, -1, 3])
    assert [result for result in results if isinstance(result[0], int)] == [[2], [4], [6]]
    assert isinstance(results[2][0], ValueError)


def test_the_items_of_one_thread_may_fill_several_batches():
    network = SlowNetwork()
    network.go_on.set()
    assert Batcher(network, 2)([1, 2, 3]) == [2, 4, 6]
    assert network.batches == [[1, 2], [3]]


def entering(pool, context, inside):
    """Enter in a thread of its own and stay until `inside` is told to leave; says when it is inside."""

    def stay():
        with context:
            inside.entered.set()
            assert inside.leave.wait(60)

    return pool.submit(stay)


class Stay:
    """Someone inside a context, for a test that decides when they leave."""

    def __init__(self):
        self.entered, self.leave = threading.Event(), threading.Event()


NOT_YET = 0.2  # seconds that somebody who must wait is given to get in wrongly


def test_an_exclusive_holder_waits_for_those_inside_and_later_ones_wait_for_it():
    lock = SharedLock()
    first, exclusive, later = Stay(), Stay(), Stay()
    with ThreadPoolExecutor(3) as pool:
        entering(pool, lock.shared(), first)
        assert first.entered.wait(60)
        entering(pool, lock.exclusive(), exclusive)
        assert not exclusive.entered.wait(NOT_YET)
        entering(pool, lock.shared(), later)
        assert not later.entered.wait(NOT_YET)  # or those who come again and again would starve it
        first.leave.set()
        assert exclusive.entered.wait(60)
        assert not later.entered.wait(NOT_YET)
        exclusive.leave.set()
        assert later.entered.wait(60)
        later.leave.set()


def test_shared_holders_are_inside_together():
    lock = SharedLock()
    with lock.shared(), lock.shared():
        pass


def test_a_budget_is_not_overdrawn():
    budget, first, second = Budget(10), Stay(), Stay()
    with ThreadPoolExecutor(2) as pool:
        entering(pool, budget.take(6), first)
        assert first.entered.wait(60)
        entering(pool, budget.take(5), second)
        assert not second.entered.wait(NOT_YET)
        first.leave.set()
        assert second.entered.wait(60)
        second.leave.set()


def test_more_than_the_whole_budget_gets_in_once_nobody_else_has_any():
    budget, small, large = Budget(10), Stay(), Stay()
    with ThreadPoolExecutor(2) as pool:
        entering(pool, budget.take(1), small)
        assert small.entered.wait(60)
        entering(pool, budget.take(20), large)
        assert not large.entered.wait(NOT_YET)
        small.leave.set()
        assert large.entered.wait(60)
        large.leave.set()


def test_what_is_due_first_comes_first_and_a_batch_weighs_so_much():
    batches = []
    begun, go_on = threading.Event(), threading.Event()

    def work(items):
        batches.append(list(items))
        begun.set()
        assert go_on.wait(30)
        return items

    batcher = Batcher[tuple[int, int], tuple[int, int]](work, 4, weight=lambda item: item[1], due=lambda item: item[0])
    sent = [[(0, 1)], [(9, 7)], [(5, 3)], [(3, 1)], [(4, 1)]]
    threads = [threading.Thread(target=batcher, args=(items,)) for items in sent]
    threads[0].start()
    assert begun.wait(30)
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(batcher._waiting) < number:
            time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join()
    assert batches == [[(0, 1)], [(3, 1), (4, 1)], [(5, 3)], [(9, 7)]]
