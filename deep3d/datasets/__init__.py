"""Photos whose landmarks or shapes are known, as they come in folders."""
