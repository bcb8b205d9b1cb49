"""Taking turns."""

import time

from deep3d.bench.timing import WARM_UP, counted, race


def test_contestants_take_turns_and_the_first_rounds_do_not_count():
    turns: list[str] = []
    seconds = race({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, rounds=3)
    assert turns == ["a", "a", "b", "b"] * (WARM_UP + 3)
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_notes_and_times_are_of_the_same_runs():
    naps: list[float] = []

    def nap() -> None:
        naps.append(0.001 * len(naps))
        time.sleep(naps[-1])

    seconds = race({"nap": nap}, rounds=2)["nap"]
    assert len(naps) == 2 * (WARM_UP + 2)
    assert counted(naps, 2) == [naps[-3], naps[-1]]
    assert all(time >= nap for time, nap in zip(seconds, counted(naps, 2), strict=True))
