"""glTF: the face with its morph targets, small files for the web, animations, the basis that the live page draws."""
