"""Training of the networks: the regressor, the refiner, the dense network, weak supervision."""
