"""`deep3d serve` for tests, whose worker never gets ready. Called with `--port NUMBER`."""

import sys

from serving.serve import serve

if __name__ == "__main__":
    serve("127.0.0.1", int(sys.argv[2]), lambda address: None, ["-c", "import sys; sys.stdin.read()"])
