"""The notebooks as data: their cells, the claims they make, the checks they run.

`python3 lab.py run tools/notebooks_as_data.py` prints how long each of them is.
"""

import ast
import re
import statistics
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


def report():
    """Print, for each notebook, where it stands beside the band of lengths that the collection aims at."""
    print(f"{'notebook':<44}{'cells':>6}{'code':>6}{'median':>8}{'90 %':>6}{'longest':>9}{'words a cell':>19}{'kB':>6}")
    for path in notebook_paths():
        notebook = read(path)
        lengths = sorted(len(code_lines(cell)) for cell in code_cells(notebook))
        words = sum(words_of_prose(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
        print(
            f"{path.relative_to(NOTEBOOKS)!s:<44}{len(notebook.cells):>6}{len(lengths):>6}{statistics.median(lengths):>8.1f}"
            f"{lengths[int(0.9 * (len(lengths) - 1))]:>6}{lengths[-1]:>9}{words / len(lengths):>19.0f}"
            f"{path.stat().st_size / 1000:>6.0f}"
        )


def words_of_prose(source):
    """Words, without displayed equations and tables; a formula in a sentence is one word."""
    text = re.sub(r"^\|.*$", "", re.sub(r"\$\$.*?\$\$", "", source, flags=re.S), flags=re.M)
    return len(re.sub(r"\$[^$]*\$", "x", text).split())


def code_lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


if __name__ == "__main__":
    report()
