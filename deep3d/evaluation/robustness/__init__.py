"""Degraded and rotated photos and pictures without a face, and whether the confidence reflects it."""
