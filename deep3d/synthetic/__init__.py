"""Synthetic photos of people with exact labels."""
