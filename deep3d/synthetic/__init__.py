"""Photos of made-up people with exact labels."""
