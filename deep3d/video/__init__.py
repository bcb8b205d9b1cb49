"""Faces through films: reading, following, one identity for each person, smoothing, drawing and writing."""
