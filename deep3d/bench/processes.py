"""Whole processes: the time to start and to process one photo, and the memory they use."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from deep3d.bench.figures import Section, compared, figure
from deep3d.bench.timing import once
from deep3d.runtime import available_runtimes

_MEMORY = Path("/proc/self/status")
_TELL = f"""
import atexit
from pathlib import Path
def tell():
    lines = Path("{_MEMORY}").read_text().splitlines()
    print(*(1024 * int(line.split()[1]) for key in ("VmHWM:", "VmRSS:") for line in lines if line.startswith(key)))
atexit.register(tell)
"""
_COMMAND = "from deep3d.cli import main\nmain()"
_WORKER = """
import sys
from deep3d import Reconstructor, write_results
from deep3d.memory import give_back_memory
from deep3d.runtime.cores import take_over_process
photo, folder, runtime = sys.argv[1:]
take_over_process()
reconstructor = Reconstructor.load(runtime=runtime)
for _ in range(3):
    write_results(reconstructor(photo), folder)
give_back_memory()  # as an idle worker does
"""


def process_section(photo: Path, folder: Path, rounds: int) -> Section:
    """`deep3d --help`, a cold `deep3d reconstruct`, and a warm worker, without torch and with it.

    Results are written to the folder. Raises: subprocess.CalledProcessError if one of them fails.
    """
    help_command = [sys.executable, "-m", "deep3d", "--help"]
    families = _families()
    calls = {
        "deep3d --help": lambda: subprocess.run(help_command, check=True, capture_output=True),
        **{
            f"deep3d reconstruct --runtime {name}, cold": partial(_reconstruct, photo, folder, name)
            for name in families
        },
    }
    for call in calls.values():
        call()  # brings the files into memory
    figures = compared({name: [once(call) for _ in range(rounds)] for name, call in calls.items()}, base=None)
    if not _MEMORY.exists():
        return Section("Processes", tuple(figures), skipped=("memory (Linux only)",))
    for name in families:
        peak = float(_reconstruct(photo, folder, name)[0])
        held = float(_python(_TELL + _WORKER, photo, folder / "warm", name)[1])
        figures.append(figure(f"peak memory of deep3d reconstruct --runtime {name}", [peak / 1e6], "MB"))
        figures.append(figure(f"memory of a warm process, {name}", [held / 1e6], "MB"))
    return Section("Processes", tuple(figures))


def _families() -> list[str]:
    """The runtimes without torch, and one with it."""
    return [name for name in available_runtimes() if name in ("openvino", "onnx", "eager")]


def _reconstruct(photo: Path, folder: Path, runtime: str) -> list[str]:
    tell = _TELL if _MEMORY.exists() else ""
    return _python(tell + _COMMAND, "reconstruct", photo, "--out", folder / "cold", "--runtime", runtime)


def _python(code: str, *arguments: str | Path) -> list[str]:
    """Run a process and give its peak memory and its memory at the end, in bytes."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-2:]
