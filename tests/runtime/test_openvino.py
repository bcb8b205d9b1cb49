import subprocess
import sys

import pytest

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
