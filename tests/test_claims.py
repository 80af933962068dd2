"""The table of claims: one row for each, of a kind that agrees with what the claim's checks found."""

import re

import pytest
from notebooks_as_data import NOTEBOOKS, claims, code_cells, notebook_paths, read

from mathlib import stored

CHAPTERS = [path for path in notebook_paths() if path.parent == NOTEBOOKS]
PROVED, AT_THESE, MEASURED, MADE = (
    "proved for all",
    "proved at these d and K",
    "measured on these cases",
    "by construction",
)


def every_claim():
    return [number for path in CHAPTERS for number, _ in claims(read(path))]


def findings():
    """What the stored checks of each claim say, by its number."""
    said = {}
    for path in CHAPTERS:
        for cell in code_cells(read(path)):
            for output in cell.outputs:
                verdict = re.match(r"✓ \(([\d.]+)\) (.*)", output.get("data", {}).get("text/plain", ""))
                if verdict:
                    said.setdefault(verdict[1], []).append(verdict[2])
    return said


def misfits(rows, said):
    """Rows whose kind does not go with what was found, or that leave something open."""
    wrong = []
    for row in rows:
        number, kind, found = row["claim"], row["kind"], said.get(row["claim"], [])
        if kind not in (PROVED, AT_THESE, MEASURED, MADE):
            wrong.append(f"({number}) is of no known kind: {kind!r}")
        if not found:
            wrong.append(f"({number}) has no check whose verdict is stored")
        if kind == AT_THESE and not any("exactly" in finding for finding in found):
            wrong.append(f"({number}) is called proved at these d and K, and no check of it is exact")
        if kind == AT_THESE and not re.search(r"\b(d = \d|two parameters)", row["scope"]):
            wrong.append(f"({number}) is called proved at these d and K, and the row names no d")
        if not row["scope"].strip() or not row["lets_through"].strip():
            wrong.append(f"({number}) does not say for what it holds, or what its check lets through")
    return wrong


def test_every_claim_has_one_row_in_the_order_of_the_notebooks():
    assert [row["claim"] for row in stored.claims()] == every_claim()


def test_every_kind_agrees_with_what_the_checks_found():
    assert misfits(stored.claims(), findings()) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "certain"}, "no known kind"),
        ({"kind": AT_THESE, "claim": "1.4", "scope": "d = 1"}, "no check of it is exact"),
        ({"kind": AT_THESE, "scope": "all"}, "names no d"),
        ({"claim": "9.99"}, "no check whose verdict"),
        ({"lets_through": " "}, "what its check lets through"),
    ],
)
def test_a_row_that_does_not_fit_is_noticed(change, complaint):
    row = next(row for row in stored.claims() if row["claim"] == "1.1")
    (found,) = misfits([row | change], findings())
    assert complaint in found


def audited():
    """The statements and verdicts in the table of notebook 15."""
    page = read(NOTEBOOKS / "15_audit_the_sources.ipynb")
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    return re.findall(r"^\| \[(A\d+)\]\(\S+\) \|.*? \| ([^|]*) \| [^|]* \|$", text, re.M)


def test_the_stored_verdicts_are_those_of_the_table():
    assert len(audited()) == 21
    assert [(row["statement"], row["verdict"]) for row in stored.verdicts()] == audited()
