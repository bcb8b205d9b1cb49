"""Training of the dense network: crops and meshes in, depth and normals out."""
