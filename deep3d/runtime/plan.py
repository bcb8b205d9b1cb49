"""The best runtime, precision, threads, processes and batch on this machine: saved results of `deep3d tune`."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from deep3d.errors import RuntimeUnavailable
from deep3d.files.whole_file import written_whole
from deep3d.network.checkpoints import Checkpoint
from deep3d.runtime.cache import cache_folder
from deep3d.runtime.cores import processor_name, usable_cores
from deep3d.runtime.loading import RUNTIMES

SCHEMA = "deep3d.plan/1"
Goal = Literal["latency", "throughput"]


@dataclass(frozen=True)
class Plan:
    """One combination of settings for the network."""

    runtime: str
    precision: str
    threads: int  # of each process
    processes: int
    batch_size: int
    images_per_second: float  # of all processes together
    milliseconds: float  # for a batch


@dataclass(frozen=True)
class Plans:
    """The best plans on one machine for one checkpoint."""

    latency: Plan  # one photo at a time
    throughput: Plan  # many photos


def machine_facts(checkpoint: Checkpoint) -> dict[str, Any]:
    """Everything that a plan depends on: with other facts it is invalid."""
    return {
        "processor": processor_name(),
        "cores": usable_cores(),
        "system": platform.system(),
        "packages": {package: _version(package) for package in sorted(set(RUNTIMES.values()))},
        "checkpoint_sha256": checkpoint.sha256,
    }


def plan_path(checkpoint: Checkpoint) -> Path:
    """The path of the plans for this machine and checkpoint; it may not exist."""
    facts = json.dumps(machine_facts(checkpoint), sort_keys=True)
    return cache_folder() / f"plan-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"


def write_plans(checkpoint: Checkpoint, plans: Plans) -> Path:
    """Save the plans for this machine and checkpoint.

    Raises: OSError.
    """
    path = plan_path(checkpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"schema": SCHEMA, "machine": machine_facts(checkpoint), **asdict(plans)}
    with written_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def read_plan(checkpoint: Checkpoint, goal: Goal) -> Plan | None:
    """The plan for this machine and checkpoint, None if there is none.

    Raises: RuntimeUnavailable if the file is damaged or from another machine.
    """
    path = plan_path(checkpoint)
    if not path.exists():
        return None
    again = "delete it, or run deep3d tune again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RuntimeUnavailable(f"{path}: cannot read a plan from this file ({error}); {again}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise RuntimeUnavailable(f"{path}: not a plan of this version; {again}")
    if content.get("machine") != machine_facts(checkpoint):
        raise RuntimeUnavailable(f"{path}: this plan is for another machine or checkpoint; {again}")
    values = content.get(goal)
    if not isinstance(values, dict) or set(values) != {field.name for field in fields(Plan)}:
        raise RuntimeUnavailable(f"{path}: {goal!r} is not a complete plan; {again}")
    plan = Plan(**values)
    if plan.runtime not in RUNTIMES or min(plan.threads, plan.processes, plan.batch_size) < 1:
        raise RuntimeUnavailable(f"{path}: {goal!r} cannot be followed; {again}")
    return plan


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
