"""The results of `deep3d tune`, as a table and as curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deep3d.errors import RuntimeUnavailable
from deep3d.runtime.plan import Plan, Plans


def to_markdown(measured: list[Plan], plans: Plans, machine: dict[str, Any]) -> str:
    """A table, the most images per second first."""
    lines = [
        f"Network alone on {machine['processor']}, {machine['cores']} cores.",
        "",
        "| runtime | precision | processes x threads | batch | images/s | ms for a batch | |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for plan in sorted(measured, key=lambda plan: -plan.images_per_second):
        chosen = ", ".join(goal for goal in ("latency", "throughput") if getattr(plans, goal) == plan)
        lines.append(
            f"| {plan.runtime} | {plan.precision} | {plan.processes} x {plan.threads} | {plan.batch_size} "
            f"| {plan.images_per_second:.1f} | {plan.milliseconds:.1f} | {chosen} |"
        )
    return "\n".join(lines) + "\n"


def draw_curves(measured: list[Plan], path: Path) -> None:
    """Images per second by batch size, a curve per combination.

    Raises: RuntimeUnavailable without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeUnavailable("--plot: needs the package matplotlib, which is not installed") from error
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    curves: dict[tuple[str, int, int], list[Plan]] = {}
    for plan in measured:
        curves.setdefault((f"{plan.runtime} {plan.precision}", plan.processes, plan.threads), []).append(plan)
    networks = sorted({network for network, _, _ in curves})
    for (network, processes, threads), plans in sorted(curves.items(), key=lambda curve: -_fastest(curve[1])):
        axes.plot(
            [plan.batch_size for plan in plans],
            [plan.images_per_second for plan in plans],
            marker="o",
            linestyle="-" if processes == 1 else "--",
            color=f"C{networks.index(network)}",
            label=f"{network}, {processes} x {threads}",
        )
    sizes = sorted({plan.batch_size for plan in measured})
    axes.set(xlabel="batch size", ylabel="images per second", xscale="log", ylim=(0, None))
    axes.set_xticks(sizes, labels=map(str, sizes))
    axes.minorticks_off()
    figure.legend(title="processes x threads", loc="outside right upper", fontsize="small")
    figure.savefig(path, dpi=100)


def _fastest(plans: list[Plan]) -> float:
    return max(plan.images_per_second for plan in plans)
