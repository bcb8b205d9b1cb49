"""Places of shipped files, safetensors files, and files that appear whole."""
