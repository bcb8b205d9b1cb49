"""The cores and the arithmetic that this machine offers."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")


def usable_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = (_CGROUP_QUOTA.read_text().strip() if _CGROUP_QUOTA.exists() else "max").partition(" ")
    return cores if quota == "max" else min(cores, ceil(int(quota) / int(period)))


def has_bf16() -> bool:
    """Whether the processor multiplies in bfloat16; others emulate it, slower than float32."""
    flags = _CPU_INFO.read_text().split() if _CPU_INFO.exists() else []
    return "avx512_bf16" in flags or "amx_bf16" in flags
