"""The regressor network: its architecture, its checkpoints, and those of others."""
