"""Install into the virtual environment, and say in one line what is going on: `python deploy/install.py EXTRAS`.

Run by the Python of the environment, before anything is installed there: the standard library is all it uses.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
LINE_SECONDS = 5.0  # between two lines where nobody can see one change

_COLLECTED = re.compile(r"Collecting ([\w.-]+)")
_INSTALLED = re.compile(r"Installing collected packages: (.*)")


class Line:
    """One line on standard error that changes; in a log, a new line from time to time."""

    def __init__(self) -> None:
        self._start = self._told = time.monotonic()
        self._live = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Say what is going on."""
        now = time.monotonic()
        if self._live:
            sys.stderr.write(f"\r\033[K{text} · {now - self._start:.0f} s")
            sys.stderr.flush()
        elif now - self._told >= LINE_SECONDS:
            self._told = now
            sys.stderr.write(f"{text} · {now - self._start:.0f} s\n")

    def end(self, text: str) -> None:
        """Say how it went."""
        begin = "\r\033[K" if self._live else ""
        sys.stderr.write(f"{begin}{text} in {time.monotonic() - self._start:.0f} s\n")


def main(extras: str) -> int:
    """Install the project with some extras; pip's exit code."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "--progress-bar"]
    command += ["off", "--constraint", "constraints.txt", "--editable", f".[{extras}]"]
    line, said = Line(), []
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for step in _steps(_kept(pip.stdout, said)):
            line.show(step)
    if pip.returncode:
        line.end("Not installed,")
        sys.stderr.write("".join(said[-30:]))
    else:
        line.end(f"Installed {extras}")
    return pip.returncode


def _kept(lines: Iterable[str], said: list[str]) -> Iterator[str]:
    for line in lines:
        said.append(line)
        yield line


def _steps(lines: Iterable[str]) -> Iterator[str]:
    """What pip is at, for people."""
    found = 0
    for line in lines:
        if match := _COLLECTED.match(line):
            found += 1
            yield f"Fetching packages: {found} ({match[1]})"
        elif match := _INSTALLED.match(line):
            yield f"Unpacking {match[1].count(',') + 1} packages"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
