"""Run the networks: one module per runtime, and the plan of the best one on this machine."""

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
