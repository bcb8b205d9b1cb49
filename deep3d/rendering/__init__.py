"""Rasterisers and the renderer built on them."""
