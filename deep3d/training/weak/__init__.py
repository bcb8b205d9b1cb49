"""Weakly supervised training on real photos (Deng et al., 2019)."""
