"""Taking turns."""

import time

from deep3d.bench.timing import WARM_UP, race


def test_contestants_take_turns_and_the_first_rounds_do_not_count():
    turns: list[str] = []
    seconds = race({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, rounds=3)
    assert turns == ["a", "b"] * (WARM_UP + 3)
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_the_time_is_that_of_the_action():
    naps = iter([0.5, 0.05])
    (seconds,) = race({"nap": lambda: time.sleep(next(naps))}, rounds=1, warm_up=1)["nap"]
    assert 0.05 <= seconds < 0.5
