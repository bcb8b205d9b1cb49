"""From aligned crops to face coefficients and dense landmarks: the one batched step."""
