"""The arrows of ARCHITECTURE.md: who imports whom, read off the code."""

import ast
import graphlib

import pytest
from notebooks_as_data import ROOT

PACKAGE = ROOT / "mathlib"
# What a room may import of ours, itself apart. A folder is one room, and what nobody imports from is not named.
MAY_IMPORT = {
    "contracts": set(),
    "errors": set(),
    "inputs": {"contracts", "errors"},
    "stored": {"errors"},
    "logcosh": set(),
    "rounding": set(),
    "losses": {"contracts", "errors", "inputs", "logcosh"},
    "unknown": {"errors", "losses"},
    "network_parts": {"contracts", "inputs"},
    "network_inputs": {"contracts", "errors", "inputs", "network_parts"},
    "networks": {"contracts", "inputs", "network_inputs", "network_parts"},
    "meta_gradients": {"contracts", "errors", "inputs"},
    "steps": {"errors", "inputs"},
    "tasks": {"contracts", "errors", "inputs", "networks"},
    "meta_training": {"contracts", "errors", "inputs", "meta_gradients", "networks", "tasks"},
    "mistakes": {"contracts", "errors", "inputs", "meta_gradients"},
    "slips": {"contracts", "inputs", "meta_gradients", "mistakes"},
    "finite_differences": {"contracts", "errors", "inputs"},
    "foreign": {"contracts", "errors", "finite_differences", "inputs"},
    "function_check": {"contracts", "errors", "finite_differences", "foreign", "rounding"},
    "diagnosis": {"contracts", "meta_gradients", "mistakes", "rounding", "slips"},
    "diagnose": {"contracts", "diagnosis", "errors", "foreign", "inputs", "losses", "mistakes"},
    "proofs": {"unknown"},
    "checks": {"contracts", "errors", "finite_differences", "inputs", "proofs", "rounding", "unknown"},
    "exercises": {"errors", "inputs", "losses", "meta_gradients", "mistakes", "networks"},
    "figures": {"errors"},
}


def room(path):
    """The part of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(source):
    """The rooms of the package that a source imports."""
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("mathlib.")}


def arrows():
    """Each room with the other rooms that it imports."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if path.parent != PACKAGE or path.name != "__init__.py":
            found.setdefault(room(path), set()).update(imports(path.read_text(encoding="utf-8")) - {room(path)})
    return found


def test_every_arrow_is_one_that_the_page_allows():
    found = arrows()
    assert set(found) == set(MAY_IMPORT)
    assert {name: others - MAY_IMPORT[name] for name, others in found.items() if others - MAY_IMPORT[name]} == {}


def test_there_is_no_cycle():
    assert list(graphlib.TopologicalSorter(arrows()).static_order())


def test_every_room_stands_in_the_page():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [name for name in MAY_IMPORT if f"{name}.py`" not in page and f"{name}/`" not in page] == []


@pytest.mark.parametrize(
    "source", ["from mathlib.checks import check", "import mathlib.checks", "from mathlib import checks"]
)
def test_an_import_is_seen_however_it_is_written(source):
    assert imports(source) == {"checks"}
