"""`deep3d bench`: speed and memory of one machine in one run, compared with the reference and other projects."""

from deep3d.bench.figures import BenchReport, Figure, Section
from deep3d.bench.run import Peers, run_bench

__all__ = ["BenchReport", "Figure", "Peers", "Section", "run_bench"]
