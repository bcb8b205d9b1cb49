"""Run the regressor network: one module for each way."""

from deep3d.runtime.interface import Runtime
from deep3d.runtime.loading import RUNTIMES, load_runtime

__all__ = ["Runtime", "load_runtime", "RUNTIMES"]
