"""The copy that readers work in: what they changed stays, what they left alone follows the collection."""

import json
import subprocess
import sys

import pytest
import working_copy
from notebooks_as_data import ROOT, code_cells, notebook_paths, read
from working_copy import freshen, update


def notebook(*sources, outputs=(), **metadata):
    """The bytes of a notebook with a heading, which may be folded, and these code cells, run."""
    cells = [{"cell_type": "markdown", "id": "00000000", "metadata": metadata, "source": ["# Title"]}]
    for number, source in enumerate(sources, start=1):
        cell = {"cell_type": "code", "id": f"0000000{number}", "metadata": {}, "source": [source]}
        cells.append(cell | {"outputs": [*outputs], "execution_count": number})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["2\n"]}


class Room:
    """A collection and its copy, in a folder of their own."""

    def __init__(self, folder):
        self.source, self.copy = folder / "notebooks", folder / "workbook"
        self.publish("01_a.ipynb", notebook("1 + 1", outputs=[OUTPUT], **{"jp-MarkdownHeadingCollapsed": True}))
        self.publish("solutions/01_a.ipynb", notebook("2"))
        self.publish("lectures/README.md", b"for teachers")
        self.update()

    def publish(self, name, data):
        (self.source / name).parent.mkdir(parents=True, exist_ok=True)
        (self.source / name).write_bytes(data)

    def write(self, name, data):
        (self.copy / name).write_bytes(data)

    def cells(self, name="01_a.ipynb"):
        return json.loads((self.copy / name).read_bytes())["cells"]

    def update(self):
        return update(self.source, self.copy)

    def freshen(self, *names):
        return freshen(names, "2026-11-27", self.source, self.copy)


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_a_copy_has_every_file_and_no_output_and_keeps_what_is_folded(room):
    heading, code = room.cells()
    assert (code["outputs"], code["execution_count"], code["source"]) == ([], None, ["1 + 1"])
    assert heading["metadata"] == {"jp-MarkdownHeadingCollapsed": True}
    assert (room.copy / "lectures" / "README.md").read_bytes() == b"for teachers"
    assert room.cells("solutions/01_a.ipynb")[1]["source"] == ["2"]


def test_a_second_start_writes_nothing(room):
    before = {path: path.stat().st_mtime_ns for path in room.copy.rglob("*.ipynb")}
    assert room.update() == []
    assert {path: path.stat().st_mtime_ns for path in room.copy.rglob("*.ipynb")} == before


def test_what_is_untouched_follows_the_collection_and_what_is_new_appears(room):
    room.publish("01_a.ipynb", notebook("3"))
    room.publish("02_b.ipynb", notebook("4"))
    assert room.update() == []
    assert room.cells()[1]["source"] == ["3"]
    assert room.cells("02_b.ipynb")[1]["source"] == ["4"]


def test_what_was_only_run_follows_too(room):
    """JupyterLab saves outputs and metadata by itself, two minutes after a notebook was opened."""
    room.write("01_a.ipynb", notebook("1 + 1", outputs=[OUTPUT]))
    room.publish("01_a.ipynb", notebook("3"))
    assert room.update() == []
    assert room.cells()[1]["source"] == ["3"]


def test_what_was_run_stays_while_the_collection_says_the_same(room):
    room.write("01_a.ipynb", notebook("1 + 1", outputs=[OUTPUT]))
    room.publish("01_a.ipynb", notebook("1 + 1", outputs=[OUTPUT, OUTPUT]))
    assert room.update() == []
    assert room.cells()[1]["outputs"] == [OUTPUT]


@pytest.mark.parametrize("mine", [notebook("mine"), notebook("1 + 1", "more"), notebook(), b"no notebook any more"])
def test_what_the_reader_changed_stays_and_is_named_for_as_long_as_it_differs(room, mine):
    room.write("01_a.ipynb", mine)
    assert room.update() == []
    room.publish("01_a.ipynb", notebook("3"))
    assert room.update() == ["01_a.ipynb"]
    assert room.update() == ["01_a.ipynb"]
    assert (room.copy / "01_a.ipynb").read_bytes() == mine


def test_a_file_of_the_readers_own_is_never_taken_for_one_of_ours(room):
    room.write("02_b.ipynb", notebook("mine"))
    room.publish("02_b.ipynb", notebook("theirs"))
    assert room.update() == ["02_b.ipynb"]
    assert room.cells("02_b.ipynb")[1]["source"] == ["mine"]


def test_a_renamed_notebook_goes_unless_it_was_changed(room):
    (room.source / "01_a.ipynb").rename(room.source / "01_b.ipynb")
    (room.source / "solutions" / "01_a.ipynb").unlink()
    room.write("solutions/01_a.ipynb", notebook("mine"))
    assert room.update() == []
    assert not (room.copy / "01_a.ipynb").exists()
    assert (room.copy / "01_b.ipynb").exists()
    assert room.cells("solutions/01_a.ipynb")[1]["source"] == ["mine"]


def test_a_copy_whose_record_is_lost_or_half_written_keeps_what_was_changed(room):
    (room.copy / working_copy.RECORD).write_text('{"01_a')
    room.write("01_a.ipynb", notebook("mine"))
    assert room.update() == ["01_a.ipynb"]
    assert room.cells()[1]["source"] == ["mine"]


def test_what_the_reader_threw_away_comes_back(room):
    (room.copy / "01_a.ipynb").unlink()
    room.update()
    assert room.cells()[1]["source"] == ["1 + 1"]


def test_fresh_makes_one_again_and_keeps_what_was_there(room):
    room.write("01_a.ipynb", notebook("mine"))
    room.write("solutions/01_a.ipynb", notebook("mine too"))
    aside = room.freshen("01_a.ipynb")
    assert room.update() == []
    assert json.loads((aside / "01_a.ipynb").read_bytes())["cells"][1]["source"] == ["mine"]
    assert room.cells()[1]["source"] == ["1 + 1"]
    assert room.cells("solutions/01_a.ipynb")[1]["source"] == ["mine too"]


def test_fresh_twice_a_day_keeps_both_and_of_an_untouched_copy_nothing(room):
    assert room.freshen() is None
    room.update()
    kept = []
    for text in ("first", "second"):
        room.write("01_a.ipynb", notebook(text))
        kept.append(room.freshen())
        room.update()
    assert [folder.name for folder in kept] == ["kept-2026-11-27", "kept-2026-11-27-2"]
    assert b"first" in (kept[0] / "01_a.ipynb").read_bytes()
    assert b"second" in (kept[1] / "01_a.ipynb").read_bytes()


@pytest.mark.parametrize("name", ["01_a.ipynb", "01_a", "notebooks/01_a.ipynb", "workbook/01_a.ipynb"])
def test_a_notebook_may_be_named_as_it_is_seen(room, name):
    assert working_copy.known([name], room.source) == ["01_a.ipynb"]


def test_a_name_that_is_none_is_answered(room):
    with pytest.raises(SystemExit, match="there is no notebook '9'; expected a name such as"):
        working_copy.known(["9"], room.source)


def test_what_a_reader_is_told_is_one_line_with_the_word_that_helps(room, monkeypatch, capsys):
    monkeypatch.setattr(working_copy, "update", room.update)
    monkeypatch.setattr(working_copy, "lay_out", lambda: None)
    working_copy.main([])
    assert capsys.readouterr().out == ""
    room.write("01_a.ipynb", notebook("mine"))
    room.publish("01_a.ipynb", notebook("3"))
    working_copy.main([])
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "python3 lab.py fresh 01_a.ipynb" in said


def test_the_first_layout_is_given_once(monkeypatch, tmp_path):
    (tmp_path / "tools" / "jupyter").mkdir(parents=True)
    (tmp_path / "tools" / "jupyter" / "layout.json").write_text("{}")
    monkeypatch.setattr(working_copy, "ROOT", tmp_path)
    working_copy.lay_out()
    layout = tmp_path / ".venv" / working_copy.LAYOUT
    assert layout.read_text() == "{}"
    layout.write_text("the reader's")
    working_copy.lay_out()
    assert layout.read_text() == "the reader's"


def test_the_real_collection_is_copied_without_outputs(tmp_path):
    assert update(copy=tmp_path) == []
    for path in notebook_paths():
        copied, tracked = read(tmp_path / path.relative_to(working_copy.NOTEBOOKS)), read(path)
        assert [cell.source for cell in copied.cells] == [cell.source for cell in tracked.cells]
        assert not any(cell.outputs for cell in code_cells(copied))


def test_git_does_not_see_the_copy():
    ignored = subprocess.run(["git", "check-ignore", "-q", "workbook/01.ipynb"], cwd=ROOT, check=False)
    if ignored.returncode == 128:
        pytest.skip("not a git checkout")
    assert ignored.returncode == 0


def test_it_needs_nothing_but_python():
    source = (ROOT / "tools" / "working_copy.py").read_text(encoding="utf-8")
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", ["labconfig/default_setting_overrides.json", "layout.json"])
def test_the_settings_of_jupyterlab_can_be_read(name):
    assert json.loads((ROOT / "tools" / "jupyter" / name).read_text(encoding="utf-8"))
