"""Made-up people: shape, skin, hair, eyes and glasses."""
