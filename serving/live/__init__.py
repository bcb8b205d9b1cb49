"""Faces in front of a visitor's camera: a process of its own, which holds the networks and keeps nothing it sees."""
