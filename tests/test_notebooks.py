"""The committed notebooks: run from the top without a fault, small, and with nothing of the machine that ran them."""

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
LARGEST = 600_000  # bytes
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:tmp|home|root|work|usr|var|opt|Users)/|\b[A-Z]:\\|site-packages")
COMMAND = re.compile(r"^\s*[%!]")  # of IPython, to itself or to the shell


def code_cells(path: Path) -> list[dict]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def texts(output: dict) -> str:
    """What an output says, pictures left out."""
    data = {name: value for name, value in output.get("data", {}).items() if not name.startswith("image/")}
    return json.dumps([output.get("text", ""), data])


def test_there_are_eight_and_the_readme_names_them():
    readme = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    assert len(PATHS) == 8
    assert re.findall(r"\]\((\w+\.ipynb)\)", readme) == [path.name for path in PATHS]


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request) -> Path:
    return request.param


def test_every_cell_was_run_in_order_and_figures_were_drawn(notebook):
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    kinds = {kind for cell in cells for output in cell["outputs"] for kind in output.get("data", ())}
    assert "image/jpeg" in kinds


def test_no_output_is_an_error_or_a_warning(notebook):
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            assert output["output_type"] != "error", output["evalue"]
            assert output.get("name") != "stderr", output["text"]
            assert not re.search(r"Warning:|Traceback", texts(output))


def test_nothing_of_the_machine_is_in_it(notebook):
    cells = code_cells(notebook)
    shown = [texts(output) for cell in cells for output in cell["outputs"]] + [
        "".join(cell["source"]) for cell in cells
    ]
    assert not [found for text in shown if (found := MACHINE_PATH.search(text))]


def test_it_is_small(notebook):
    assert notebook.stat().st_size < LARGEST


def test_its_code_compiles(notebook):
    for cell in code_cells(notebook):
        lines = "".join(cell["source"]).splitlines()
        plain = "\n".join(line for line in lines if not COMMAND.match(line))
        compile(plain, notebook.name, "exec")
