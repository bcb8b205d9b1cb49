"""From coefficients to everything that Deep3DFaceRecon computes from them."""
