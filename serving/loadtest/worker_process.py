"""A worker of a site under test, as systemd would run it, that can be killed, suspended, and given a wrong clock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from serving.loadtest import processes

STOP_SECONDS = 90


def with_wrong_clock(command: Sequence[str], seconds: int) -> Sequence[str] | None:
    """A command whose processes see a clock that is so many seconds fast; None where libfaketime is not installed."""
    faketime = shutil.which("faketime")
    return [faketime, "-f", f"+{seconds}s", *command] if faketime else None


def _is_faketime(command: Sequence[str]) -> bool:
    return "faketime" in Path(command[0]).name


def _under_faketime(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables by which the clock alone is wrong, and waiting goes on to work."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).with_name("wrong_clock")), environ.get("PYTHONPATH")]))
    return {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "PYTHONPATH": path}


class WorkerProcess:
    """A worker, and the process that does its work, which the command `dramatiq` starts."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environ = {**environ, **_under_faketime(environ)} if _is_faketime(command) else environ
        self._log = log
        self.start()

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environ, stdin=subprocess.PIPE, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as a crash does."""
        self._signal(signal.SIGKILL)
        self._process.communicate()

    def suspend(self) -> None:
        """Let it do nothing until it is resumed."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it as an operator does."""
        with suppress(ProcessLookupError):
            os.kill(self._main(), signal.SIGTERM)
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def pids(self) -> list[int]:
        """Its processes."""
        return [*processes.descendants(self._process.pid), self._process.pid]

    def _main(self) -> int:
        """The process of the command; `faketime` starts it, waits for its end, and passes no signal on to it."""
        started = processes.descendants(self._process.pid) if _is_faketime(self._command) else []
        return next(iter(started), self._process.pid)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
