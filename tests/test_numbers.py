"""Numbers in the prose come from somewhere: an output, the code or a formula of the same notebook."""

import re

import pytest
from notebooks_as_data import LINK, NOTEBOOKS, code_cells, notebook_paths, read

NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|```.*?```|`[^`]*`", re.S)
# What looks like a number and is a name: citations (6.3) and (16), exercises, dates, minutes, places in a text.
MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
PLACES = "notebook section equation table cell line issue tutorial appendix version"
PLACE = "|".join(f"[{word[0].upper()}{word[0]}]{word[1:]}s?" for word in PLACES.split())
NAMES = re.compile(
    "|".join(
        [
            r"\(\d{1,2}(?:\.\d{1,2})?\)",
            r"\*\*\d{1,2}[A-Z]",
            rf"\b(?:{PLACE}) \d+(?:\.\d+)*(?:(?:,| and|,? to) \d+(?:\.\d+)*)*\b",
            r"arXiv \d{4}\.\d{4,5}",
            rf"\b(?:\d{{1,2}} )?(?:{MONTH} )?(?:19|20)\d\d(?:-\d\d-\d\d)?\b",
            r"\*\*Time:?\*\*[^.]*\.",
            r"https?://\S+",
        ]
    )
)
CHAPTERS = [path for path in notebook_paths() if path.parent == NOTEBOOKS and not path.name.startswith("00")]

# (notebook, numbers, why they have no cell)
EXCEPTIONS = [
    (
        "06",
        "48.70 1.84 48.07 1.75 63.11 0.92 63.15 0.91 95.8 89.4 95",
        "published accuracies with their intervals, quoted from the papers that the table names",
    ),
    ("15", "95", "what the MAML paper says of its own intervals, in quotation marks"),
]


def values(text):
    """The numbers in a text, as (value, decimal places)."""
    found = (match.replace(",", "") for match in NUMBER.findall(text.replace("−", "-")))
    return [(float(n), len(n.partition(".")[2])) for n in found if n.count(".") <= 1]


def texts(output):
    """What an output says."""
    data = output.get("data", {})
    return [output.get("text", ""), *(str(data[kind]) for kind in data if kind.startswith("text/"))]


def orphans(notebook):
    """Numbers of the text that nothing else in the notebook contains, not even with more digits."""
    prose, known = [], []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            known += [value for formula in FORMULA.findall(cell.source) for value, _ in values(formula)]
            text = NAMES.sub(" ", LINK.sub(" ", FORMULA.sub(" ", cell.source)))
            prose += [(cell.id, *found) for found in values(text)]
    for cell in code_cells(notebook):
        spoken = [cell.source, *(text for output in cell.outputs for text in texts(output))]
        known += [value for text in spoken for value, _ in values(re.sub(r"e([-+]?\d+)", r" 1 \1 ", text))]
    return [
        (cell, f"{value:.{places}f}")
        for cell, value, places in prose
        if not any(abs(value - other) <= 0.5 * 10**-places * (places > 0) + 1e-12 for other in known)
        and not any(places == 0 and value == round(100 * other) for other in known)
    ]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_in_the_text_stands_in_an_output_the_code_or_a_formula(path):
    excepted = {n for name, numbers, _ in EXCEPTIONS if name == path.stem[:2] for n in numbers.split()}
    assert [found for found in orphans(read(path)) if found[1] not in excepted] == []


@pytest.mark.parametrize(("name", "numbers", "reason"), EXCEPTIONS, ids=lambda word: word[:12])
def test_every_exception_is_still_one_and_has_a_reason(name, numbers, reason):
    (path,) = (path for path in CHAPTERS if path.stem.startswith(name))
    assert set(numbers.split()) <= {found for _, found in orphans(read(path))}
    assert len(reason) > 20


def test_a_number_from_nowhere_and_a_stale_one_are_noticed():
    notebook = read(CHAPTERS[0])
    cell = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
    cell.source += "\n\nIt is off by 17.25 %, after 9,731 steps of 0.1 each (6.3)."
    assert orphans(notebook) == [(cell.id, "17.25"), (cell.id, "9731")]
