"""Published benchmarks, measured as their authors do."""
