"""Where shipped files lie, and files that are read once or appear whole."""
