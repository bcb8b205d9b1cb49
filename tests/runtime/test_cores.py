import pytest

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
        ("amx_bf16 avx_vnni", ("fp32", "bf16", "int8")),
        ("avx512f avx512_vnni", ("fp32", "int8")),
        ("avx2", ("fp32",)),
    ],
)
def test_precisions_are_read_from_the_processors_flags(tmp_path, monkeypatch, flags, expected):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(cores, "_CPU_INFO", path)
    assert cores.processor_precisions() == expected
    monkeypatch.setattr(cores, "_CPU_INFO", tmp_path / "none")
    assert cores.processor_precisions() == ("fp32",)
