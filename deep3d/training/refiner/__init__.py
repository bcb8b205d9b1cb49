"""Training of the refiner."""
