"""Made-up people drawn on any device, for many at a time."""
