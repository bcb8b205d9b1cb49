"""What becomes of photos that are spoiled, turned or without a face, and whether results know it."""
