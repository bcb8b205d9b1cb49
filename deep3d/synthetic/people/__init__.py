"""Synthetic people: shape, skin, hair, eyes and glasses."""
