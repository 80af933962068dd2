"""What nbval does not see: claims without checks, missing alternative texts, dead links; and that its guards see.

Each guard is a function that returns what is wrong as a list of sentences. It is asked about every notebook,
and, with a defect planted on purpose, has to find it. Stripped outputs and stale pictures are looked for while nbval
runs the notebooks (conftest.py); here defects are planted for those guards too.
"""

import contextlib
import copy
import inspect
import re
import subprocess
import sys

import matplotlib as mpl
import nbformat
import pytest
from notebooks_as_data import (
    CITATION,
    LECTURES,
    LINK,
    NOTEBOOKS,
    ROOT,
    checks,
    citations,
    claims,
    code_cells,
    code_lines,
    notebook_paths,
    prose,
    read,
    run_code,
)
from watch_pictures import Shown, blind_comparisons, displays_in, stale_pictures, stored_pngs

from mathlib.figures import Picture
from mathlib.figures.picture import picture

PATHS = notebook_paths()
CHAPTERS = [path for path in PATHS if path.parent == NOTEBOOKS]
SOLUTIONS = [path for path in PATHS if path.parent == NOTEBOOKS / "solutions"]
names = {"ids": lambda path: str(path.relative_to(NOTEBOOKS))}
every_notebook = pytest.mark.parametrize("path", PATHS, **names)


@pytest.fixture
def notebook():
    """A copy of a real notebook, to plant defects in."""
    return copy.deepcopy(read(NOTEBOOKS / "01_differentiate_through_an_update.ipynb"))


# ---- equation coverage


def uncovered(notebook):
    """Claims without a check beneath, and checks or refutations without a claim above."""
    claimed, checked = claims(notebook), checks(notebook)
    called = checks(notebook, names=("check", "refute"))
    return [
        *(f"claim ({n}) has no check beneath it" for n, i in claimed if not any(m == n and j > i for m, j in checked)),
        *(f"check of ({n}) has no claim above it" for n, j in called if not any(m == n and i < j for m, i in claimed)),
    ]


def misnumbered(all_claims):
    """Numbers used twice, and numbers that are not the chapter's, counted up from 1."""
    numbers = [number for _, number in all_claims]
    wrong = [f"({n}) is used twice" for n in sorted(set(numbers)) if numbers.count(n) > 1]
    for name in {name for name, _ in all_claims}:
        mine = [number for other, number in all_claims if other == name]
        expected = [f"{int(name[:2])}.{k}" for k in range(1, len(mine) + 1)]
        if mine != expected:
            wrong.append(f"{name} numbers its claims {mine}; expected {expected}")
    return wrong


def dangling(notebook, numbers):
    return [f"({n}) is cited and stands nowhere" for n, _ in citations(notebook) if n not in numbers]


def every_claim():
    return [(path.name, number) for path in CHAPTERS for number, _ in claims(read(path))]


@pytest.mark.parametrize("path", [*CHAPTERS, *SOLUTIONS], **names)  # a lecture cites claims, and makes none
def test_every_claim_is_checked_and_every_check_has_a_claim(path):
    assert uncovered(read(path)) == []


def test_claims_are_numbered_once_and_in_order():
    assert every_claim()
    assert misnumbered(every_claim()) == []


@every_notebook
def test_no_citation_dangles(path):
    assert dangling(read(path), {number for _, number in every_claim()}) == []


def test_a_dropped_check_a_stray_check_and_a_check_above_its_claim_are_noticed(notebook):
    i = next(i for i, cell in enumerate(notebook.cells) if 'check("1.4"' in cell.source)
    dropped, above = copy.deepcopy(notebook), copy.deepcopy(notebook)
    del dropped.cells[i]
    assert uncovered(dropped) == ["claim (1.4) has no check beneath it"]
    above.cells.insert(1, above.cells.pop(i))
    assert len(uncovered(above)) == 2
    notebook.cells[i].source = notebook.cells[i].source.replace("1.4", "1.44")
    assert len(uncovered(notebook)) == 2


def test_a_number_used_twice_and_a_gap_are_noticed():
    assert "(1.2) is used twice" in misnumbered([("01_a", "1.1"), ("01_a", "1.2"), ("02_b", "1.2")])
    assert misnumbered([("01_a", "1.1"), ("01_a", "1.3")])


def test_a_dangling_citation_is_noticed(notebook):
    notebook.cells[-1].source += " See (9.87)."
    assert dangling(notebook, {"1.1", "1.2", "1.3", "1.4", "1.5"}) == ["(9.87) is cited and stands nowhere"]


# ---- what is stored


def miscounted(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}"]


def missing_alternatives(notebook):
    """Pictures without a sentence with numbers: in the picture's metadata, and in the text beneath it."""
    wrong = []
    for i, cell in enumerate(code_cells(notebook), start=1):
        texts = " ".join(str(o.get("data", {}).get("text/markdown", "")) for o in cell.outputs)
        for _, metadata in stored_pngs(cell):
            alt = metadata.get("alt", "")
            if len(alt) < 40 or not re.search(r"\d", alt):
                wrong.append(f"cell {i} has a picture whose alt text is {alt!r}")
            elif alt not in texts:
                wrong.append(f"cell {i} does not print the sentence of its picture")
    images = [
        m for cell in notebook.cells if cell.cell_type == "markdown" for m in re.findall(r"!\[([^\]]*)\]", cell.source)
    ]
    return wrong + [f"an image in the text has the alt text {alt!r}" for alt in images if not re.search(r"\d", alt)]


@every_notebook
def test_execution_counts_run_from_1_to_n(path):
    assert miscounted(read(path)) == []


@every_notebook
def test_every_picture_has_an_alternative_text_with_its_numbers(path):
    assert missing_alternatives(read(path)) == []


def test_wrong_counts_are_noticed(notebook):
    assert not miscounted(notebook)
    code_cells(notebook)[3].execution_count = None
    assert miscounted(notebook)


def test_a_lost_alternative_text_is_noticed(notebook):
    with_picture = next(cell for cell in code_cells(notebook) if stored_pngs(cell))
    stored_pngs(with_picture)[0][1]["alt"] = "A figure."
    assert len(missing_alternatives(notebook)) == 1


@pytest.fixture(scope="module")
def drawn():
    """Cells of a notebook with a picture, and the pictures that they display here and now."""
    cells, namespace, shown = [], {}, []
    with displays_in(shown), contextlib.chdir(NOTEBOOKS):
        for cell in code_cells(read(NOTEBOOKS / "01_differentiate_through_an_update.ipynb")):
            shown.clear()
            value = run_code(cell.source, namespace)
            if isinstance(value, Picture):
                value._ipython_display_()
            if shown:
                cells.append((cell, list(shown)))
    assert len(cells) >= 2
    return cells


@pytest.mark.stored
def test_a_fresh_picture_is_recognised_and_a_swapped_a_stripped_and_an_added_one_are_noticed(drawn):
    (cell, calls), (_, others) = drawn[:2]
    assert stale_pictures(cell, calls) == []
    assert stale_pictures(cell, others) == [f"{others[0].name}: the cell stores a picture that is not what it draws"]
    assert stale_pictures(cell, []) == ["the cell stores 1 pictures and draws 0"]
    assert stale_pictures(cell | {"outputs": []}, calls) == ["the cell stores 0 pictures and draws 1"]


def test_a_comparison_that_sees_too_little_or_too_much_is_noticed(monkeypatch):
    @picture()
    def line(figure, alpha):
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, alpha])
        axes.set(xlabel="$x$", ylim=(0, 1))
        return f"A line of slope {alpha:g}."

    calls = [Shown(line(alpha=0.5), line, inspect.signature(line).bind(alpha=0.5))]
    assert blind_comparisons(calls) == []
    monkeypatch.setattr("watch_pictures.TOLERANCE", 1.0)
    assert "looks the same" in blind_comparisons(calls)[0]
    monkeypatch.setattr("watch_pictures.TOLERANCE", -1.0)
    assert "is not recognised" in blind_comparisons(calls)[0]


@pytest.mark.stored
def test_nbval_here_notices_a_stripped_output_and_a_stale_picture(tmp_path, notebook):
    """The whole way: a notebook with both defects, run by pytest with the project's own conftest."""
    path = tmp_path / "defects.ipynb"
    cells = code_cells(notebook)
    printing = next(cell for cell in cells if any(output.output_type == "stream" for output in cell.outputs))
    first, second = [output for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})][:2]
    printing.outputs, printing.execution_count = [], None
    first.data["image/png"] = second.data["image/png"]
    nbformat.write(notebook, path)
    words = ["-p", "conftest", "-c", str(ROOT / "pyproject.toml"), "-n", "0", "-q", str(path)]
    command = [sys.executable, "-m", "pytest", *words]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "2 failed" in ran.stdout, ran.stdout
    assert "the cell shows something, and nothing is stored" in ran.stdout
    assert "the cell stores a picture that is not what it draws" in ran.stdout


# ---- the page


def unwieldy(notebook):
    """Cells that do not fit a projector: over 15 lines, or over 80 columns."""
    wrong = []
    for i, cell in enumerate(code_cells(notebook), start=1):
        lines = code_lines(cell)
        if len(lines) > 15:
            wrong.append(f"code cell {i} has {len(lines)} lines; at most 15 fit")
        wrong += [f"code cell {i} has a line of {len(line)} columns" for line in lines if len(line) > 80]
    return wrong


# What a notebook opened alone says, in the cell that fails then.
HINT = [
    "# If mathlib is missing: %pip install git+<address of this repository>",
    '# ("pip install mathlib" would bring another package.)',
]


def ill_begun(notebook):
    """A first code cell that does more than import, or imports everything, or does not say what to install."""
    lines = code_lines(code_cells(notebook)[0])
    wrong = [] if lines[:2] == HINT else ["the first code cell does not say what to install"]
    imports = lines[2:]
    wrong += [
        f"the first code cell holds {line!r}"
        for line in imports
        if not re.match(r"(import|from) ", line) or "*" in line
    ]
    return wrong + (["it has over five imports"] if len(imports) > 5 else [])


def opens_a_section(cell):
    return cell.cell_type == "markdown" and cell.source.startswith("#")


def level(cell):
    """Of a cell that opens a section: how many signs # its heading has."""
    return len(re.match(r"#+", cell.source)[0])


def landings(notebook):
    """The ids of cells that a link may lead to: they begin with a heading, and no folded section hides them."""
    ids = set()
    folded = None
    for cell in filter(opens_a_section, notebook.cells):
        if folded is not None and level(cell) > folded:
            continue
        ids.add(cell.id)
        folded = level(cell) if cell.metadata.get("jp-MarkdownHeadingCollapsed") else None
    return ids


def dead_links(notebook, folder):
    """Links that lead nowhere in JupyterLab.

    It follows `#cell-id=…` from any page. An anchor made of the heading's words it follows only in a page that is open
    already, and never where the heading has a letter outside ASCII.
    """
    wrong = []
    for cell in notebook.cells:
        for target in LINK.findall(cell.source) if cell.cell_type == "markdown" else []:
            if re.match(r"https?:", target):
                continue
            name, _, anchor = target.partition("#")
            file = folder / name if name else None
            if file and not file.is_file():
                wrong.append(f"{target} leads nowhere")
            elif anchor and anchor.removeprefix("cell-id=") not in landings(read(file) if file else notebook):
                wrong.append(f"{target} names no cell that opens a section in sight")
            elif anchor and not anchor.startswith("cell-id="):
                wrong.append(f"{target} is no #cell-id=…")
    return wrong


def exclamations(notebook):
    """Words and signs that the house style does without."""
    text = prose("\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))
    return re.findall(
        r"[^.!?\n]*!(?= |$)|\b(?:simply|obviously|clearly|of course|trivially)\b", text, flags=re.I | re.M
    )


@every_notebook
def test_no_cell_outgrows_the_projector(path):
    assert unwieldy(read(path)) == []


@every_notebook
def test_the_first_code_cell_imports_and_does_no_more(path):
    assert ill_begun(read(path)) == []


@every_notebook
def test_links_resolve(path):
    assert dead_links(read(path), path.parent) == []


@every_notebook
def test_the_prose_keeps_the_house_style(path):
    assert exclamations(read(path)) == []


@every_notebook
def test_a_notebook_stays_under_400_kB_and_a_lecture_full_of_pictures_under_600(path):
    assert path.stat().st_size < (600_000 if path.parent == LECTURES else 400_000)


def test_long_cells_impure_imports_dead_links_and_loud_words_are_noticed(notebook):
    code = code_cells(notebook)
    code[0].source += "\ntheta = 1"
    code[1].source = "\n".join(["x = 1"] * 16)
    code[2].source = "x = " + "1 + " * 30 + "1"
    notebook.cells[-1].source += " [gone](gone.ipynb) [gone](#Gone) Obviously."
    assert len(unwieldy(notebook)) == 2
    assert ill_begun(notebook) == ["the first code cell holds 'theta = 1'", "it has over five imports"]
    assert len(dead_links(notebook, NOTEBOOKS)) == 2
    assert exclamations(notebook) == ["Obviously"]


def test_links_that_jupyterlab_does_not_follow_are_noticed(notebook):
    """To a heading's words, to code, to text without a heading, and into a folded section."""
    last = notebook.cells[-1]
    new = nbformat.v4.new_markdown_cell
    notebook.cells += [new("## Folded", id="aaaaaaaa"), new("### Hidden", id="bbbbbbbb"), new("## Seen", id="cccccccc")]
    notebook.cells[-3].metadata["jp-MarkdownHeadingCollapsed"] = True
    last.source += " [good](#cell-id=aaaaaaaa) [good](#cell-id=cccccccc)"
    assert dead_links(notebook, NOTEBOOKS) == []
    text = next(cell for cell in notebook.cells if cell.cell_type == "markdown" and not opens_a_section(cell))
    for anchor in (
        "Seen",
        "cccccccc",
        f"cell-id={code_cells(notebook)[0].id}",
        f"cell-id={text.id}",
        "cell-id=bbbbbbbb",
    ):
        last.source += f" [dead](#{anchor})"
    assert len(dead_links(notebook, NOTEBOOKS)) == 5


def test_a_citation_is_recognised():
    assert CITATION.findall("see (5.2), not (0) nor f(1.25x) nor (5.2a)") == ["5.2"]


# ---- exercises


@pytest.mark.parametrize("path", SOLUTIONS, **names)
def test_every_exercise_is_asked_and_solved(path):
    chapter = read(NOTEBOOKS / path.name)
    asked = {name for name, _ in checks(chapter, names=("check_answer",))}
    verdicts = [o.data["text/plain"] for cell in code_cells(read(path)) for o in cell.outputs if "data" in o]
    solved = {name for name in asked if f"Exercise {name}: right." in verdicts}
    assert 2 <= len(asked) <= 4
    assert solved == asked


def test_every_chapter_with_exercises_has_its_solutions():
    asking = {path.name for path in CHAPTERS if checks(read(path), names=("check_answer",))}
    assert asking == {path.name for path in SOLUTIONS}


def test_the_other_fonts_are_other_fonts():
    """Guards the test above: DejaVu Serif must be there, or nothing would change."""
    assert "DejaVu Serif" in mpl.font_manager.get_font_names()
