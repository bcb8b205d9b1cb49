"""The rules about who imports whom and what, and the public names."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest

import deep3d

REPOSITORY = Path(__file__).parents[1]
WITH_TORCH = (
    "deep3d.bench.gpu",
    "deep3d.bench.plain",
    "deep3d.dense.dpt",
    "deep3d.network.torch_regressor",
    "deep3d.network.torch_resnet",
    "deep3d.rendering.differentiable",
    "deep3d.rendering.gpu",
    "deep3d.rendering.triton",
    "deep3d.runtime.cuda",
    "deep3d.runtime.eager",
    "deep3d.runtime.torchscript",
    "deep3d.synthetic.device",
    "deep3d.training",
)
"""Modules and packages that need gradients or TorchScript; no other may load torch when it is imported."""


def module_names() -> list[str]:
    files = sorted((REPOSITORY / "deep3d").rglob("*.py"))
    names = [".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__") for file in files]
    alone = "deep3d.bench.programs."  # run by themselves, in environments of other programs
    return [name for name in names if not name.endswith("__main__") and not name.startswith(alone)]


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_imports_go_down_only():
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_document_and_its_picture_have_the_rooms_of_the_contract():
    make = run_path(str(REPOSITORY / "docs/make_architecture.py"))
    text = (REPOSITORY / "docs/architecture.md").read_text(encoding="utf-8").partition("| what it is for |")[2]
    table = [re.findall(r"`(\w+)(?:/|\.py)`", line.split("|")[1]) for line in text.splitlines() if line[:3] == "| `"]
    assert table[: len(make["rows"]())] == make["rows"]()
    assert (REPOSITORY / "docs/pictures/architecture.svg").read_text(encoding="utf-8") == make["picture"]()


def test_torch_is_loaded_only_where_gradients_are():
    names = [name for name in module_names() if not any(f"{name}.".startswith(f"{part}.") for part in WITH_TORCH)]
    assert "deep3d.camera" in names
    result = run_python(
        "import importlib, sys\n"
        f"for name in {names}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules: sys.exit(f'{name} loads torch')\n"
    )
    assert result.returncode == 0, result.stderr


def test_geometry_in_numpy_never_loads_torch(toy_model_path):
    result = run_python(
        "import sys, numpy as np, deep3d\n"
        "from deep3d.camera import place, project\n"
        "from deep3d.lighting import shade\n"
        f"model = deep3d.read_face_model({str(toy_model_path)!r})\n"
        "face = deep3d.FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))\n"
        "vertices = place(model.shape(face), face.rotation, face.translation)\n"
        "project(model.landmarks(vertices))\n"
        "shade(model.albedo(face.albedo), model.normals(vertices), face.lighting)\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert result.returncode == 0, result.stderr


def test_importing_deep3d_loads_none_of_its_modules():
    result = run_python(
        "import sys, deep3d; sys.exit(any(n.startswith('deep3d.') or n == 'numpy' for n in sys.modules))"
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", deep3d.__all__)
def test_public_names_are_there_and_documented(name):
    value = getattr(deep3d, name)
    assert inspect.getdoc(value), f"deep3d.{name} has no docstring"
    assert name in dir(deep3d)


def test_public_names_are_the_ones_that_type_checkers_see():
    tree = ast.parse(Path(deep3d.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: str(node.module) for node in imports for alias in node.names}
    seen = {name: module for name, module in seen.items() if module.startswith("deep3d.")}
    assert set(deep3d.__all__) == set(seen)
    for name, module in seen.items():
        assert getattr(deep3d, name) is getattr(importlib.import_module(module), name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        getattr(deep3d, "nonsense")  # noqa: B009


@pytest.mark.parametrize("name", module_names())
def test_every_module_says_what_it_is(name):
    path = REPOSITORY / Path(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), f"{file} has no docstring"


LONG_FUNCTIONS = {
    "deep3d/cli/depth.py depth": "the options of a command are its parameters",
    "deep3d/cli/drawing.py draw": "the same",
    "deep3d/cli/evaluation.py evaluate": "the same",
    "deep3d/cli/faces.py reconstruct": "the same",
    "deep3d/cli/measuring.py bench": "the same",
    "deep3d/cli/runtimes.py tune": "the same",
    "deep3d/cli/video.py video": "the same",
    "deep3d/rendering/kernels.py _draw": "one loop over pixels, compiled in one piece",
    "deep3d/rendering/silhouettes.py silhouette_crossings": "the same, over edges",
    "deep3d/rendering/triton.py _draw": "the same, on a GPU",
    "serving/store/migrations/versions/0001_first.py upgrade": "all tables of the first version, one after another",
}
"""Functions of more than 40 lines, each with its reason."""


def test_functions_are_short_or_have_a_reason():
    long = set()
    for room in ("deep3d", "serving"):
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) > 40:
                    long.add(f"{path.relative_to(REPOSITORY).as_posix()} {node.name}")
    assert long == set(LONG_FUNCTIONS)


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_rooms_are_small():
    ours = list((REPOSITORY / "deep3d").rglob("*.py"))
    assert len([path for path in ours if path.parent.name == "deep3d" and path.parent.parent == REPOSITORY]) <= 14
    for folder in {path.parent for path in [*ours, *(REPOSITORY / "serving").rglob("*.py")]}:
        assert len(list(folder.glob("*.py"))) <= 20, f"{folder.name} has more than 20 modules; make a room of some"
