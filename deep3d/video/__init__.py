"""Faces in videos: reading, following, one identity for each person, smoothing, drawing and writing."""
