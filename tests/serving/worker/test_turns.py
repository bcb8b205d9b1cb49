"""Whoever is due first has the next turn."""

import threading
import time

import pytest

from serving.worker.effort import LATER_A_FACE, Account, Steps
from serving.worker.turns import Turns


def test_turns_come_in_the_order_in_which_they_are_due():
    turns, had = Turns(1), []

    def take(due):
        with turns.take(due):
            had.append(due)

    threads = [threading.Thread(target=take, args=(due,)) for due in (3.0, 1.0, 2.0)]
    with turns.take(9.0):
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._waiting) < number:
                time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert had == [1.0, 2.0, 3.0]


def test_a_turn_ends_after_an_error():
    turns = Turns(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.take(0.0):
            raise ZeroDivisionError


def test_several_have_their_turn_together():
    turns, together = Turns(2), threading.Barrier(2)

    def take():
        with turns.take(0.0):
            together.wait(30)

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken


def test_each_face_of_a_job_is_due_later():
    account = Account(begun=100.0)
    assert account.due() == 100.0
    assert account.due(20) == 100.0 + 19 * LATER_A_FACE
    account.faces = 3
    assert account.due() == 100.0 + 3 * LATER_A_FACE


def test_the_oldest_step_counts_until_it_is_over():
    steps = Steps()
    assert steps.longest() == 0
    with steps.step():
        time.sleep(0.05)
        with steps.step():
            assert steps.longest() >= 0.05
    assert steps.longest() == 0
