"""Training of the regressor on made-up people and a share of real portraits."""
