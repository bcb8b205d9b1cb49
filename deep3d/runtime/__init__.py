"""Run the regressor network: one module for each way."""

from deep3d.runtime.interface import Runtime
from deep3d.runtime.loading import RUNTIMES, available_precisions, available_runtimes, load_runtime

__all__ = ["RUNTIMES", "Runtime", "available_precisions", "available_runtimes", "load_runtime"]
