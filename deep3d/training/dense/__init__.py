"""Training of the dense network: from crops and meshes to depth and normals."""
