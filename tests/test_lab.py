"""lab.py: what it says when something is missing, and that it recovers from every interruption."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from notebooks_as_data import ROOT

import lab


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """lab.py on an empty folder, with a venv and a pip that only leave traces."""
    calls = []
    root = tmp_path / "Jürgen's folder"
    root.mkdir()
    site = root / ".venv" / "lib" / "site-packages"

    def create(folder, with_pip):
        calls.append("venv")
        (Path(folder) / "bin").mkdir(parents=True)
        site.mkdir(parents=True)
        lab.PYTHON.write_text("")

    def call(words, **kwargs):
        calls.append("pip" if "pip" in words else "run")
        return bench.code

    bench = SimpleNamespace(calls=calls, code=0, site=site)
    monkeypatch.setattr(lab, "ROOT", root)
    monkeypatch.setattr(lab, "VENV", root / ".venv")
    monkeypatch.setattr(lab, "PYTHON", root / ".venv" / "bin" / "python")
    monkeypatch.setattr(lab, "STAMP", root / ".venv" / "complete")
    monkeypatch.setattr(lab, "TURN", root / ".venv.lock")
    monkeypatch.setattr(lab, "LOCK", root / "requirements.txt")
    lab.LOCK.write_text("numpy==1")
    monkeypatch.setattr("venv.create", create)
    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(subprocess, "check_output", lambda words: os.fsencode(site))
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


def test_the_package_is_on_the_path_of_the_environment_by_a_way_without_letters(bench):
    """Python reads that file in the locale's encoding, so the folder's name may not stand in it."""
    lab.set_up()
    line = (bench.site / "mathlib.pth").read_text(encoding="ascii")
    assert not os.path.isabs(line)
    assert (bench.site / line).resolve() == lab.ROOT.resolve()


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


def test_words_go_to_pytest_and_its_verdict_comes_back(monkeypatch):
    commands = []
    monkeypatch.setattr(lab, "set_up", lambda: None)
    monkeypatch.setattr(lab, "run", lambda words: commands.append(words) or 7)
    with pytest.raises(SystemExit) as stopped:
        lab.main(["test", "-k", "order"])
    assert stopped.value.code == 7
    assert commands == [["-m", "pytest", "-k", "order"]]


@pytest.mark.parametrize("code", [0, 1])
def test_the_copy_is_brought_up_to_date_before_jupyterlab_opens_it(monkeypatch, code):
    commands = []
    monkeypatch.setattr(lab, "set_up", lambda: None)
    monkeypatch.setattr(lab, "run", lambda words: commands.append(words) or code)
    with pytest.raises(SystemExit):
        lab.main([])
    assert commands[0] == [lab.WORKING_COPY]
    assert [words[:2] for words in commands[1:]] == ([] if code else [["-m", "jupyterlab"]])
    assert code or commands[1][-1] == str(ROOT / "workbook" / "00_start_here.ipynb")


def test_fresh_and_edit_leave_the_copy_to_itself(monkeypatch):
    commands = []
    monkeypatch.setattr(lab, "set_up", lambda: None)
    monkeypatch.setattr(lab, "run", lambda words: commands.append(words) or 0)
    for words in (["fresh", "05_unroll_k_steps.ipynb"], ["edit", "--no-browser"]):
        with pytest.raises(SystemExit):
            lab.main(words)
    assert commands[0] == [lab.WORKING_COPY, "fresh", "05_unroll_k_steps.ipynb"]
    assert commands[1][-2:] == [str(ROOT / "notebooks" / "00_start_here.ipynb"), "--no-browser"]


def test_our_settings_for_jupyterlab_come_first_and_the_readers_own_folders_stay(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    ours = str(ROOT / "tools" / "jupyter")
    assert lab.environment()["JUPYTER_CONFIG_PATH"] == ours + os.pathsep + "theirs"
    monkeypatch.delenv("JUPYTER_CONFIG_PATH")
    assert lab.environment()["JUPYTER_CONFIG_PATH"] == ours
    assert "JUPYTER_CONFIG_DIR" not in lab.environment() or "JUPYTER_CONFIG_DIR" in os.environ


def test_it_needs_nothing_but_python():
    source = (ROOT / "lab.py").read_text(encoding="utf-8")
    imported = {line.split()[1] for line in source.splitlines() if line.strip().startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


def test_a_second_set_up_waits_for_the_first_and_does_nothing(bench, monkeypatch, capsys):
    """Two commands given at once: one makes .venv, the other waits, and neither removes what the other builds."""
    call, started, go_on = subprocess.call, threading.Event(), threading.Event()

    def slow_call(words, **kwargs):
        started.set()
        assert go_on.wait(10)
        return call(words, **kwargs)

    monkeypatch.setattr(subprocess, "call", slow_call)
    first, second = threading.Thread(target=lab.set_up), threading.Thread(target=lab.set_up)
    first.start()
    assert started.wait(10)
    second.start()
    time.sleep(0.3)
    go_on.set()
    first.join(10)
    second.join(10)
    assert bench.calls == ["venv", "pip"]
    assert "waiting for it to finish" in capsys.readouterr().out


def test_a_set_up_that_was_killed_keeps_nobody_waiting(bench):
    """The system lets go of the lock with the process that held it; the file alone means nothing."""
    lab.TURN.write_text("")
    lab.set_up()
    assert lab.STAMP.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process group to send the signal of Ctrl-C to")
def test_after_ctrl_c_the_child_ends_by_itself_and_is_waited_for(tmp_path):
    """A terminal sends the signal to both; pytest then lists the failures so far, and JupyterLab asks a question."""
    child = tmp_path / "child.py"
    child.write_text(
        "import time\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(30)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(1)\n"
        "    print('reported', flush=True)\n"
        "    raise SystemExit(5)\n"
    )
    parent = "import sys, lab; lab.PYTHON = sys.executable; sys.exit(lab.run([sys.argv[1]]))"
    process = subprocess.Popen(
        [sys.executable, "-c", parent, str(child)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background jobs ignore the signal, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "reported\n"
    assert process.returncode == 5


def test_every_word_that_it_parses_is_known_to_python_3_6():
    """An old Python must reach the message, so the file may not use newer syntax."""
    import ast

    ast.parse((ROOT / "lab.py").read_text(encoding="utf-8"), feature_version=(3, 6))
