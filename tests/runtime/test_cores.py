import subprocess
import sys
from contextlib import ExitStack

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from deep3d.runtime import cores


@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000\n", 8), ("200000 100000\n", 2), ("50000 100000\n", 1), ("1600000 100000\n", 8)]
)
def test_usable_cores_obey_the_containers_quota(tmp_path, monkeypatch, quota, expected):
    path = tmp_path / "cpu.max"
    path.write_text(quota)
    monkeypatch.setattr(cores, "_CGROUP_QUOTA", path)
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert cores.usable_cores() == expected


def test_usable_cores_without_containers_or_affinity(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "_CGROUP_QUOTA", tmp_path / "none")
    monkeypatch.delattr(cores.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 3)
    assert cores.usable_cores() == 3


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512_bf16 sse", ("fp32", "bf16")),
        ("avx2 amx_bf16 avx_vnni", ("fp32", "bf16", "int8")),
        ("avx avx2", ("fp32", "int8")),
        ("asimd", ("fp32",)),
    ],
)
def test_precisions_are_read_from_the_processors_flags(tmp_path, monkeypatch, flags, expected):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(cores, "_CPU_INFO", path)
    assert cores.processor_precisions() == expected
    monkeypatch.setattr(cores, "_CPU_INFO", tmp_path / "none")
    assert cores.processor_precisions() == ("fp32",)


def test_loading_and_reconstructing_leave_the_hosts_blas_threads_alone():
    code = """
import numpy, scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits
from deep3d import Reconstructor
threadpool_limits(limits=3, user_api="blas")
def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
host = threads()
reconstructor = Reconstructor.load(runtime="onnx")
assert threads() == host, threads()
reconstructor("docs/sample/astronaut.jpg")
assert threads() == host, threads()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_whoever_leaves_last_gives_the_blas_threads_back():
    def threads() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        first, second = ExitStack(), ExitStack()
        first.enter_context(cores.one_blas_thread)
        second.enter_context(cores.one_blas_thread)
        first.close()
        assert threads() == {1} != before
        second.close()
        assert threads() == before
