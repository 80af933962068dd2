"""Mistakes beside the formulas, killed by a unit test; mistakes in a notebook's own cells, by the claim's check."""

import json

import pytest
from notebooks_as_data import NOTEBOOKS, TEST_FRAMEWORKS, absent_frameworks, claims, read
from planted_errors import (
    PLANTED_BESIDE,
    PLANTED_CLAIMS,
    RECORD,
    UNIT_TESTS,
    PlantedClaim,
    failing_tests,
    failing_with,
    in_a_process_of_its_own,
)

record = json.loads(RECORD.read_text(encoding="utf-8"))
CHAPTERS = sorted({mistake.claim.partition(".")[0] for mistake in PLANTED_CLAIMS})


def chapter(number):
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    return path


@pytest.mark.parametrize("mistake", PLANTED_BESIDE, ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_a_unit_test_kills_it(mistake):
    """With mathlib as it is, this suite runs the same test, and it passes."""
    test = record[mistake.name]["unit tests"][0]
    assert test.partition("::")[0] in UNIT_TESTS[mistake.file]
    assert in_a_process_of_its_own(mistake, failing_tests, [test])


@pytest.mark.parametrize("number", CHAPTERS)
def test_each_claim_fails_with_its_mistake_in_the_cells(number):
    """Without it the notebook's checks hold: nbval runs them."""
    path = chapter(number)
    if absent := absent_frameworks(read(path)):
        pytest.skip(f"{', '.join(absent)} not installed; {TEST_FRAMEWORKS} has them")
    mistakes = [mistake for mistake in PLANTED_CLAIMS if mistake.claim.startswith(number + ".")]
    expected = {claim: claim for claim, _ in claims(read(path))}
    assert in_a_process_of_its_own(None, failing_with, path, mistakes) == expected


def test_a_mistake_that_no_check_sees_is_seen_to_be_one():
    path = chapter("12")
    harmless = PlantedClaim("12.1", "rng.dirichlet(np.ones(3), 1000)", "rng.dirichlet(2 * np.ones(3), 1000)")
    assert in_a_process_of_its_own(None, failing_with, path, [harmless]) == {"12.1": None}
