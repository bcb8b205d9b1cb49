"""Faces before a visitor's camera: a process of its own, which holds the networks and keeps nothing of what it sees."""
