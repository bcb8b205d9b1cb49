"""Synthetic heads and the training of the regressor on them."""
