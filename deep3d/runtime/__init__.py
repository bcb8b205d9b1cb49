"""Run the regressor network: one module for each way, and the plan which of them is best on this machine."""

from deep3d.runtime.interface import Network, Runtime
from deep3d.runtime.loading import (
    RUNTIMES,
    Choice,
    available_precisions,
    available_runtimes,
    choose_runtime,
    load_network,
    load_runtime,
    network_precision,
)
from deep3d.runtime.plan import Goal, read_plan

__all__ = [
    "Choice",
    "Goal",
    "Network",
    "RUNTIMES",
    "Runtime",
    "available_precisions",
    "available_runtimes",
    "choose_runtime",
    "load_network",
    "load_runtime",
    "network_precision",
    "read_plan",
]
