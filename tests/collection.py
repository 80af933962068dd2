"""The notebooks as data: their cells, the claims they make, the checks they run, the pictures they draw."""

import ast
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"

CLAIM = re.compile(r"\\tag\{([^}]*)\}")
CITATION = re.compile(r"\((\d{1,2}\.\d{1,2})\)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def notebook_paths():
    """All notebooks: the chapters in order, then their solutions."""
    return sorted(NOTEBOOKS.glob("*.ipynb")) + sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def claims(notebook):
    """(number, index of the cell) for each \\tag in the text."""
    return [
        (number, i)
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for number in CLAIM.findall(cell.source)
    ]


def checks(notebook, names=("check",)):
    """(number, index of the cell) for each call of check("5.2", …) in the code."""
    return [
        (call.args[0].value, i)
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
        for call in ast.walk(ast.parse(cell.source))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in names
        if call.args and isinstance(call.args[0], ast.Constant)
    ]


def citations(notebook):
    """(number, index of the cell) for each "(5.2)" in the text."""
    return [
        (number, i)
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for number in CITATION.findall(cell.source)
    ]


def run_code(source, namespace):
    """Run a cell's code here and now; return the value of its last line, as a notebook would show it."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace) if last else None
