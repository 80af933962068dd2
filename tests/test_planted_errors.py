"""Each planted mistake is killed, by a unit test and by a notebook: the recorded killers are run again here."""

import json
import sys
from pathlib import Path

import pytest
from planted_errors import MISTAKES, RECORD, ROOT, failing_cell, fails, planted, table, unit_tests, with_mistake

record = json.loads(RECORD.read_text(encoding="utf-8"))
each_mistake = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name.replace(" ", "-"))


@each_mistake
def test_a_unit_test_kills_it(mistake):
    module, name = record[mistake.name]["unit tests"][0].split("::")
    with planted(mistake):
        killed = fails(unit_tests(module)[name])
    del sys.modules[module]
    assert killed
    assert not fails(unit_tests(module)[name]), "it fails without the mistake as well"


@each_mistake
def test_a_notebook_kills_it(mistake):
    book, cell = next(iter(record[mistake.name]["notebooks"].items()))
    with planted(mistake):
        assert failing_cell(ROOT / "notebooks" / book) == cell


def test_the_record_names_every_mistake_and_no_other():
    assert list(record) == [mistake.name for mistake in MISTAKES]


def test_the_table_shows_a_killer_of_either_kind_for_each(capsys):
    with capsys.disabled():
        print("\n" + table(record))
    assert all(found["unit tests"] and found["notebooks"] for found in record.values())


def test_a_mistake_that_no_longer_fits_the_code_is_noticed():
    with pytest.raises(ValueError, match="expected once"):
        with_mistake(MISTAKES[0], "no such text")


def test_planting_leaves_the_real_package_as_it_was():
    import mathlib

    with planted(MISTAKES[0]):
        import mathlib as mutated

        assert mutated is not mathlib
        assert not Path(mutated.__file__).is_relative_to(ROOT)
    assert sys.modules["mathlib"] is mathlib
