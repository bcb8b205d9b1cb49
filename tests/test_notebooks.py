"""The committed notebooks: run from the top without a fault, small, and with nothing of the machine that ran them."""

import ast
import importlib
import inspect
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
OURS = ("deep3d", "serving")
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


def code(notebook: Path) -> str:
    """The Python of all cells."""
    lines = [line for cell in code_cells(notebook) for line in [*"".join(cell["source"]).splitlines(), ""]]
    return "\n".join(line for line in lines if not COMMAND.match(line))


def test_its_code_compiles(notebook):
    compile(code(notebook), notebook.name, "exec")


def resolved(node: ast.expr, known: dict[str, object]) -> object:
    """What a dotted name means, as far as modules and classes tell; None where it depends on the run.

    Raises: AttributeError for a name that is not there.
    """
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    owner = resolved(node.value, known)
    if isinstance(owner, type) and node.attr in inspect.get_annotations(owner):
        return None  # a field
    return getattr(owner, node.attr) if isinstance(owner, ModuleType | type) else None


def imported(tree: ast.AST) -> dict[str, object]:
    """What the names mean that are imported from our packages.

    Raises: ImportError, AttributeError for what is not there.
    """
    known: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] in OURS:
                    module = importlib.import_module(name.name)
                    known[name.asname or name.name.split(".")[0]] = (
                        module if name.asname else importlib.import_module(name.name.split(".")[0])
                    )
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            names: dict[str, object] = {}
            exec(ast.unparse(node), names)
            known |= {name.asname or name.name: names[name.asname or name.name] for name in node.names}
    return known


def test_what_it_takes_from_our_packages_is_there(notebook):
    tree = ast.parse(code(notebook))
    known = imported(tree)
    assert known
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            resolved(node, known)
        if isinstance(node, ast.Call) and callable(called := resolved(node.func, known)):
            parameters = inspect.signature(called).parameters
            if not any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
                assert {each.arg for each in node.keywords if each.arg} <= parameters.keys(), ast.unparse(node)


@pytest.mark.parametrize(
    "wrong",
    [
        "from deep3d.video.drawing import FilmRequest",
        "import deep3d\ndeep3d.film()",
        "import deep3d.nothing",
        "from deep3d import Reconstructor\nReconstructor.film()",
    ],
)
def test_names_that_are_gone_are_noticed(wrong):
    tree = ast.parse(wrong)
    with pytest.raises((ImportError, AttributeError)):
        known = imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                resolved(node, known)
