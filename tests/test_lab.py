"""lab.py: what it says when something is missing, and that it recovers from every interruption."""

import subprocess
import sys
from pathlib import Path

import pytest
from collection import ROOT

sys.path.insert(0, str(ROOT))
import lab


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """lab.py on an empty folder, with a venv and a pip that only leave traces."""
    calls = []

    def create(folder, with_pip):
        calls.append("venv")
        (Path(folder) / "bin").mkdir(parents=True)
        lab.PYTHON.write_text("")

    def call(words, **kwargs):
        calls.append("pip" if "pip" in words else "run")
        return bench.code

    bench = type("Bench", (), {"calls": calls, "code": 0})()
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setattr(lab, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(lab, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(lab, "STAMP", tmp_path / ".venv" / "complete")
    monkeypatch.setattr(lab, "LOCK", tmp_path / "requirements.txt")
    lab.LOCK.write_text("numpy==1")
    monkeypatch.setattr("venv.create", create)
    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(subprocess, "check_output", lambda words: str(tmp_path / ".venv").encode())
    return bench


def test_it_sets_up_once_per_change_of_the_lock(bench):
    lab.set_up()
    lab.set_up()
    assert bench.calls == ["venv", "pip"]
    lab.LOCK.write_text("numpy==2")
    lab.set_up()
    assert bench.calls == ["venv", "pip"] * 2


def test_a_half_made_environment_is_made_again(bench):
    (lab.VENV / "bin").mkdir(parents=True)
    (lab.VENV / "bin" / "leftover").write_text("")
    lab.set_up()
    assert bench.calls == ["venv", "pip"]
    assert not (lab.VENV / "bin" / "leftover").exists()


def test_the_package_is_on_the_path_of_the_environment(bench):
    lab.set_up()
    assert (lab.VENV / "mathlib.pth").read_text() == str(lab.ROOT)


def test_without_a_network_it_says_so_and_the_next_run_recovers(bench):
    bench.code = 1
    with pytest.raises(SystemExit, match="Without a network"):
        lab.set_up()
    bench.code = 0
    lab.set_up()
    assert bench.calls == ["venv", "pip"] * 2
    assert lab.STAMP.exists()


def test_an_old_python_is_told_which_one_is_needed(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed; this is 3\.9"):
        lab.main([])


def test_a_missing_venv_names_the_package_to_install(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match=r"sudo apt install python3\.\d+-venv"):
        lab.set_up()


def test_an_environment_that_cannot_be_written_is_explained(bench, monkeypatch):
    def create(folder, with_pip):
        raise PermissionError("no")

    monkeypatch.setattr("venv.create", create)
    with pytest.raises(SystemExit, match="try again"):
        lab.set_up()


def test_an_unknown_command_points_to_the_help(capsys):
    with pytest.raises(SystemExit, match="--help"):
        lab.main(["tset"])
    lab.main(["--help"])
    assert "python3 lab.py test" in capsys.readouterr().out


def test_words_go_to_pytest_and_its_verdict_comes_back(bench, monkeypatch):
    commands = []
    monkeypatch.setattr(lab, "set_up", lambda: None)
    monkeypatch.setattr(subprocess, "call", lambda words, **kwargs: commands.append(words) or 7)
    with pytest.raises(SystemExit) as stopped:
        lab.main(["test", "-k", "order"])
    assert stopped.value.code == 7
    assert commands[0][1:] == ["-m", "pytest", "-k", "order"]


def test_it_stays_short_and_needs_nothing_but_python():
    source = (ROOT / "lab.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 85
    imported = {line.split()[1] for line in source.splitlines() if line.strip().startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


def test_every_word_that_it_parses_is_known_to_python_3_6():
    """An old Python must reach the message, so the file may not use newer syntax."""
    import ast

    ast.parse((ROOT / "lab.py").read_text(encoding="utf-8"), feature_version=(3, 6))
