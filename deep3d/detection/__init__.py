"""Finds faces and their five landmarks in photos."""
