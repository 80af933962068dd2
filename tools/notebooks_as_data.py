"""The notebooks as data: their cells, the claims they make, the checks they run.

`python3 lab.py run tools/notebooks_as_data.py` prints how much there is to read in each.
"""

import ast
import importlib.util
import re
import statistics
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LECTURES = NOTEBOOKS / "lectures"

# What only the extra `frameworks` brings: a notebook that imports one of these runs where it is installed.
FRAMEWORKS = {"higher", "jax", "optimistix", "torch", "torchopt"}
INSTALL_FRAMEWORKS = 'python3 lab.py run -m pip install --editable ".[frameworks]"'
TEST_FRAMEWORKS = "python3 lab.py frameworks"

CLAIM = re.compile(r"\\tag\{([^}]*)\}")
CITATION = re.compile(r"\((\d{1,2}\.\d{1,2})\)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def notebook_paths():
    """All notebooks: the chapters in order, their solutions, the lectures."""
    folders = (NOTEBOOKS, NOTEBOOKS / "solutions", LECTURES)
    return [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def frameworks_of(notebook):
    """The packages of the extra `frameworks` that a notebook imports."""
    source = "\n".join(cell.source for cell in code_cells(notebook))
    return sorted(FRAMEWORKS & set(re.findall(r"^(?:import|from) (\w+)", source, re.M)))


def absent_frameworks(notebook):
    """Those of them that are not installed."""
    return [name for name in frameworks_of(notebook) if importlib.util.find_spec(name) is None]


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
        for number in CITATION.findall(prose(cell.source))
    ]


def prose(source):
    """Markdown without its mathematics, code and pictures."""
    return re.sub(r"\$\$.*?\$\$|\$[^$]*\$|```.*?```|`[^`]*`|!\[", "", source, flags=re.S)


def run_code(source, namespace):
    """Run a cell's code; return the value of its last line, which a notebook would show."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace) if last else None


def is_ignored(cell):
    return "nbval-ignore-output" in cell.metadata.get("tags", [])


def main_line(notebook):
    """The cells that a class reads: all but the sections headed "Deeper", up to the next heading of their level."""
    cells = []
    deeper = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            deeper = cell.source.startswith("## Deeper")
        if not deeper:
            cells.append(cell)
    return cells


def report():
    """Print how much there is to read: words of prose in the main line and in all, and of the text cells."""
    print(f"{'notebook':<44}{'main line':>11}{'whole':>8}{'text cell, median':>19}{'longest':>9}{'claims':>8}{'kB':>6}")
    for path in notebook_paths():
        notebook = read(path)
        words = [words_of_prose(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
        first = [words_of_prose(cell.source) for cell in main_line(notebook) if cell.cell_type == "markdown"]
        print(
            f"{path.relative_to(NOTEBOOKS)!s:<44}{sum(first):>11}{sum(words):>8}{statistics.median(words):>19.0f}"
            f"{max(words):>9}{len(claims(notebook)):>8}{path.stat().st_size / 1000:>6.0f}"
        )


def words_of_prose(source):
    """Words, without displayed equations and tables; a formula in a sentence is one word."""
    text = re.sub(r"^\|.*$", "", re.sub(r"\$\$.*?\$\$", "", source, flags=re.S), flags=re.M)
    return len(re.sub(r"\$[^$]*\$", "x", text).split())


def code_lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


if __name__ == "__main__":
    report()
