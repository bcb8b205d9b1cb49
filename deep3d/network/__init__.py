"""The regressor network: architecture, checkpoints, and import of foreign ones."""
