"""Confined processes: what goes beyond its limits ends alone, and the next call finds another process."""

import io
import threading
import time

import pytest

from serving.confined import Overrun, Pool
from serving.errors import Busy

PROGRAM = "tests.serving.confined.program"


@pytest.fixture
def pool():
    pool = Pool(PROGRAM, 1, waiting=1, patience=60, seconds=60)
    yield pool
    pool.close()


def test_a_call_is_answered_with_values_and_bytes(pool):
    assert pool.call({"do": "echo"}, lambda: io.BytesIO(b"abc")) == ({"said": "echo"}, b"abc")


@pytest.mark.parametrize("harm", ["run for ever", "take all memory", "die", "answer too much", "write a file"])
def test_what_goes_beyond_its_limits_ends_alone(pool, harm, tmp_path):
    with pytest.raises(Overrun):
        pool.call({"do": harm, "file": str(tmp_path / "file")}, most=1000)
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_bytes()
    assert pool.call({"do": "echo"})[0] == {"said": "echo"}


def test_what_sleeps_is_ended_from_outside():
    pool = Pool(PROGRAM, 1, waiting=0, patience=1, seconds=0.2)
    with pytest.raises(Overrun):
        pool.call({"do": "sleep"})
    pool.close()


def test_memory_that_one_call_may_have_is_not_the_next_ones(pool):
    for _ in range(3):
        assert pool.call({"do": "use memory"})[0] == {"said": "use memory"}


def test_a_mistake_of_ours_is_logged_and_ends_nothing(pool, caplog):
    with pytest.raises(Overrun):
        pool.call({"do": "mistake"})
    assert "ZeroDivisionError" in caplog.text
    assert pool.call({"do": "echo"})[0] == {"said": "echo"}


def test_what_libraries_write_goes_nowhere(pool, capfd):
    pool.call({"do": "warn"})
    assert capfd.readouterr() == ("", "")


def test_who_finds_too_many_waiting_is_told_so_at_once(pool):
    pool.call({"do": "echo"})
    turn = threading.Event()

    def content():
        turn.wait()
        return io.BytesIO()

    callers = [threading.Thread(target=pool.call, args=({"do": "echo"}, content)) for _ in range(2)]
    for caller in callers:
        caller.start()
    while pool._waiting._value:
        time.sleep(0.01)
    with pytest.raises(Busy) as told:
        pool.call({"do": "echo"})
    assert told.value.retry_after > 0
    turn.set()
    for caller in callers:
        caller.join()
    assert pool.call({"do": "echo"})[0] == {"said": "echo"}


def test_who_waits_in_vain_is_told_so():
    pool = Pool(PROGRAM, 1, waiting=1, patience=0.1, seconds=60)
    turn = threading.Event()
    caller = threading.Thread(target=pool.call, args=({"do": "echo"}, lambda: io.BytesIO(bytes(turn.wait()))))
    caller.start()
    while pool._free.qsize():
        time.sleep(0.01)
    with pytest.raises(Busy):
        pool.call({"do": "echo"})
    turn.set()
    caller.join()
    pool.close()
