"""Coefficients in, everything that Deep3DFaceRecon computes of them out."""
