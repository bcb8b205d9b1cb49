"""How the open face model is made from scan statistics: source, topology, atlas, expressions, skin."""
