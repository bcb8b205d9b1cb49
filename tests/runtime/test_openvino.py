import subprocess
import sys

import numpy as np
import pytest

from deep3d.runtime import openvino as openvino_runtime
from deep3d.runtime.cache import keep
from deep3d.runtime.graph import Graph

# A thread has a stack for its signals where faulthandler, and so pytest, sees to one; Python's handlers run on it.
PROGRAM = """
import faulthandler, signal, sys, threading
from deep3d.runtime.graph import Graph
from deep3d.runtime.openvino import OpenVinoNetwork

def network():
    graph = Graph("doubled")
    x = graph.input("x", ("N",))
    return OpenVinoNetwork(graph.serialize({"twice": graph.apply("Add", x, x)}), 1, "fp32")

faulthandler.enable()
networks = [network(), network()]
if sys.argv[1] == "in another thread":
    thread = threading.Thread(target=networks.clear)
    thread.start()
    thread.join()
else:
    networks.reverse()
    while networks:
        networks.pop()
signal.signal(signal.SIGTERM, lambda *_: print("heard"))
signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there does OpenVINO see to the stack of signals")
@pytest.mark.parametrize("dropped", ["in another thread", "oldest first"])
def test_a_signal_after_the_last_network_is_heard(dropped):
    told = subprocess.run([sys.executable, "-c", PROGRAM, dropped], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "heard\n")


def test_a_network_is_compiled_once(tmp_path, monkeypatch):
    """Later it is read, to the same numbers, for any threads; what is kept but cannot be read is compiled again."""
    monkeypatch.setattr("deep3d.runtime.cache.cache_folder", lambda: tmp_path)
    monkeypatch.setattr(openvino_runtime, "_LARGE", 0)
    graph = Graph("doubled")
    x = graph.input("x", ("N",))
    model = graph.serialize({"twice": graph.apply("Add", x, x)})
    numbers = np.arange(5, dtype=np.float32)

    class Core:
        """Counts what is compiled."""

        def __init__(self) -> None:
            self.compiled = 0

        def __getattr__(self, name):
            return getattr(real, name)

        def compile_model(self, *arguments):
            self.compiled += 1
            return real.compile_model(*arguments)

    real = openvino_runtime._CORE
    core = Core()
    monkeypatch.setattr(openvino_runtime, "_CORE", core)
    for threads in (1, 1, 2):
        (twice,) = openvino_runtime.OpenVinoNetwork(model, threads, "fp32")(numbers)
        np.testing.assert_array_equal(twice, 2 * numbers)
        assert core.compiled == 1
    (file,) = tmp_path.iterdir()
    keep(file.stem, b"of another build")
    (twice,) = openvino_runtime.OpenVinoNetwork(model, 1, "fp32")(numbers)
    np.testing.assert_array_equal(twice, 2 * numbers)
    assert core.compiled == 2
