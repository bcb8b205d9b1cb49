"""`deep3d bench`: how fast, and in how much memory, in one run on one machine, beside the reference and other peers."""

from deep3d.bench.figures import BenchReport, Figure, Section
from deep3d.bench.run import Peers, run_bench

__all__ = ["BenchReport", "Figure", "Peers", "Section", "run_bench"]
