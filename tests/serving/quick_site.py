"""`deep3d serve` for tests: its worker is that of quick_worker.py. Called with `--port NUMBER`."""

import sys
from pathlib import Path

from serving.serve import serve

if __name__ == "__main__":
    serve("127.0.0.1", int(sys.argv[2]), lambda address: None, [str(Path(__file__).with_name("quick_worker.py"))])
