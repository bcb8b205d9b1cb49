"""Synthetic people rendered on any device, many at a time."""
