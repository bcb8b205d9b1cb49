"""Training of the regressor on synthetic people and a share of real portraits."""
