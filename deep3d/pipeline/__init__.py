"""A photo's way: detect, align, regress, refine, fit."""
