"""Distances from scans to faces: reading scans, registering them, errors in millimetres."""
