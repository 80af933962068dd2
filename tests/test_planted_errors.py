"""Each planted mistake is killed, by a unit test and by a notebook: the recorded killers are run again here."""

import json

import pytest
from notebooks_as_data import NOTEBOOKS
from planted_errors import (
    PLANTED,
    PLANTED_BESIDE,
    RECORD,
    ROOT,
    as_the_catalogue_has_it,
    failures_of,
    in_a_process_of_its_own,
    killers_again,
    with_mistake,
)

everything = json.loads(RECORD.read_text(encoding="utf-8"))
record = {name: found for name, found in everything.items() if name not in {m.name for m in PLANTED_BESIDE}}


def killers_of(name):
    """A mistake's first recorded unit test, notebook and claim."""
    path, claim = next(iter(record[name]["notebooks"].items()))
    return record[name]["unit tests"][0], NOTEBOOKS / path, claim


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_a_unit_test_and_a_notebook_kill_it(mistake):
    test, path, claim = killers_of(mistake.name)
    assert in_a_process_of_its_own(mistake, killers_again, test, path) == (True, claim)


@pytest.mark.parametrize("mistake", [m for m in PLANTED if m.entry], ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_a_planted_error_is_what_the_catalogue_calls_it(mistake):
    assert in_a_process_of_its_own(mistake, as_the_catalogue_has_it, mistake.entry)


def test_without_a_mistake_nothing_is_killed():
    """Or a killer would prove nothing: the recorded tests and notebooks pass with mathlib as it is."""
    tests = sorted({killers_of(name)[0] for name in record})
    paths = sorted({killers_of(name)[1] for name in record})
    assert in_a_process_of_its_own(None, failures_of, tests, paths) == ([], {})


def test_the_record_names_every_mistake_and_no_other():
    assert list(everything) == [mistake.name for mistake in (*PLANTED, *PLANTED_BESIDE)]


def test_the_record_has_a_killer_of_either_kind_for_each():
    assert all(found["unit tests"] and found["notebooks"] for found in record.values())


def test_a_mistake_that_no_longer_fits_the_code_is_noticed():
    with pytest.raises(ValueError, match="expected once"):
        with_mistake(PLANTED[0], "no such text")


def test_planting_leaves_the_real_package_as_it_was():
    before = {path: path.read_bytes() for path in (ROOT / "mathlib").glob("*.py")}
    test, path, _ = killers_of(PLANTED[0].name)
    in_a_process_of_its_own(PLANTED[0], killers_again, test, path)
    assert before == {path: path.read_bytes() for path in (ROOT / "mathlib").glob("*.py")}
