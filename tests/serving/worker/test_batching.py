"""Batches form while the network is busy, and one bad item fails alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

from serving.loadtest.servers import wait_until
from serving.worker.batching import Batcher, Budget, Gate


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


def test_who_wants_to_be_alone_is_alone():
    gate, inside, most = Gate(), [0], []
    lock = threading.Lock()

    def pass_through(alone):
        with gate.enter(alone):
            with lock:
                inside[0] += 1
                most.append((alone, inside[0]))
            threading.Event().wait(0.005)
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pass_through, [number % 3 == 0 for number in range(30)]))
    assert len(most) == 30
    assert all(number == 1 for alone, number in most if alone)


def test_a_budget_is_not_overdrawn_and_the_largest_still_get_in():
    budget, used, most = Budget(10), [0], [0]
    lock = threading.Lock()

    def spend(amount):
        with budget.take(amount):
            with lock:
                used[0] += min(amount, 10)
                most[0] = max(most[0], used[0])
            with lock:
                used[0] -= min(amount, 10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, [3, 4, 20, 5, 10, 1] * 5))
    assert 0 < most[0] <= 10
