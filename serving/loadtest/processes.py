"""What the system tells of running processes: their children, memory and processor time. Linux only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_FORGET_PEAK = "5"  # as proc(5) has it for clear_refs


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # the thread has just ended
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def runs(pid: int, programs: Sequence[bytes]) -> bool:
    """Whether a process runs one of some modules."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # just ended
        return False
    return any(program in arguments for program in programs)


def resident_mb(pids: Sequence[int]) -> float:
    """Resident memory of some processes together: that of the first, and what each other has for itself.

    They run the same programs, whose code is in memory once.
    """
    return sum(_memory_mb(pid, "status", "VmRSS:") for pid in pids[:1]) + sum(
        _memory_mb(pid, "smaps_rollup", "Private_") for pid in pids[1:]
    )


def peak_mb(pid: int) -> float:
    """The most resident memory that a process has had; 0 if it has ended."""
    return _memory_mb(pid, "status", "VmHWM:")


def forget_peak(pid: int) -> None:
    """Let the peak of its memory begin anew."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)


def cpu_seconds(pid: int, ended_children: bool = False) -> float:
    """Processor time that a process has had, and if wished those of its children that have ended; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = fields[11 : 15 if ended_children else 13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int, file: str, line: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:  # just ended
        return 0.0
    return sum(int(each.split()[1]) for each in lines if each.startswith(line)) * 1024 / 1e6
