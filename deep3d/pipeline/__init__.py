"""The way of a photo: detect, align, regress, refine, fit."""
