"""Benchmarks that others published, measured as their authors do."""
