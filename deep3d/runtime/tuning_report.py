"""What `deep3d tune` measured, as a table and as curves."""

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
    """Images per second by batch size, a curve for each way to run.

    Raises: RuntimeUnavailable without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeUnavailable("--plot: needs the package matplotlib, which is not installed") from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    curves: dict[str, list[Plan]] = {}
    for plan in measured:
        name = f"{plan.runtime} {plan.precision}, {plan.processes} x {plan.threads}"
        curves.setdefault(name, []).append(plan)
    for name, plans in sorted(curves.items(), key=lambda item: -max(plan.images_per_second for plan in item[1])):
        axes.plot([plan.batch_size for plan in plans], [plan.images_per_second for plan in plans], "o-", label=name)
    axes.set(xlabel="batch size", ylabel="images per second", xscale="log", ylim=(0, None))
    axes.set_xticks(sorted({plan.batch_size for plan in measured}), minor=False)
    axes.get_xaxis().set_major_formatter("{x:.0f}")
    axes.legend(title="processes x threads", fontsize="small")
    figure.savefig(path, dpi=120)
