"""The reading site: what its sources are made of, the settings for a class, and what is said where something is amiss.

Nothing here needs Sphinx, Node or a browser; tests/browser/test_pages.py looks at the pages once they are built.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import urllib.parse
from pathlib import Path

import build_site
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"

spec = importlib.util.spec_from_file_location("site_pages", ROOT / "site" / "pages.py")
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)


# ---- what the sources are made of


@pytest.fixture(scope="module")
def collection():
    return pages.Collection()


def test_each_question_leads_to_a_section(collection):
    questions = [row for _, group in collection.questions for row in group]
    assert len(questions) >= 28
    assert len({name for name, *_ in questions}) == len(questions)
    for name, _, _, where in questions:
        assert pages.LINK.search(where), name


def test_each_claim_has_a_page_an_equation_and_a_kind(collection):
    assert set(collection.claims) == set(collection.kinds)
    assert {row["kind"] for row in collection.kinds.values()} <= set(pages.KINDS)
    assert all(tex for _, tex in collection.claims.values())


def test_both_forms_of_a_link_lead_to_the_same_heading(collection):
    notebook = collection.named["05_unroll_k_steps"]
    _, title, label, number = next(heading for heading in notebook.headings if heading[1].startswith("Deeper"))
    by_title = collection.target(notebook, "#" + title.replace(" ", "-"))
    by_cell = collection.target(notebook, "05_unroll_k_steps.ipynb#cell-id=" + notebook.cells[number]["id"])
    assert by_title == by_cell == "#" + label
    assert label.startswith("fold-")


@pytest.mark.parametrize("address", ["99_gone.ipynb", "05_unroll_k_steps.ipynb#Gone", "#cell-id=00000000"])
def test_a_dead_link_stops_the_build(collection, address):
    with pytest.raises(pages.DeadLink, match="05_unroll"):
        collection.linked(collection.named["05_unroll_k_steps"], f"see [there]({address})")


def test_a_link_may_have_code_in_its_text(collection):
    linked = collection.linked(collection.named["05_unroll_k_steps"], "`a` [why `b` `c`](00_start_here.ipynb) `d`")
    assert re.fullmatch(r"`a` \[why `b` `c`\]\(#cell-\w{8}\) `d`", linked)


def test_code_and_formulas_keep_what_looks_like_a_link(collection):
    text = "`a[0](x)` and ``` b[1](y) ```"
    assert collection.linked(collection.named["05_unroll_k_steps"], text) == text


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        (r"Why $\nabla_\theta \theta_0$?", "Why ∇_θ θ₀?"),
        (r"$I - \alpha H_{k-1}$ and `code`", "I − α H_(k−1) and code"),
        ("**bold**, *not* [a link](x.ipynb)", "bold, not a link"),
    ],
)
def test_titles_are_plain(markdown, line):
    assert pages.plain(markdown) == line


# ---- a class


MEASURED = json.loads((ROOT / "site" / "hub" / "measured.json").read_text(encoding="utf-8"))


def settings(name):
    return yaml.safe_load((ROOT / "site" / "hub" / name).read_text(encoding="utf-8"))


def megabytes(words):
    """A size as JupyterHub writes it."""
    return float(words[:-1]) * {"M": 1, "G": 1024}[words[-1]]


def test_the_settings_give_a_student_what_was_measured():
    student = MEASURED["server_mb"] + MEASURED["kernel_mb"]
    cluster = settings("zero-to-jupyterhub.yaml")["singleuser"]
    assert megabytes(cluster["memory"]["guarantee"]) >= student
    assert megabytes(cluster["memory"]["limit"]) >= student + MEASURED["kernel_mb"]  # a second notebook left open
    assert megabytes(settings("tljh.yaml")["limits"]["memory"]) >= student + MEASURED["kernel_mb"]
    assert cluster["cpu"]["limit"] == settings("tljh.yaml")["limits"]["cpu"] == 1  # a kernel has one thread


def test_the_settings_name_what_the_hubs_know():
    assert set(settings("tljh.yaml")) <= {"limits", "services", "user_environment", "users", "https", "auth"}
    assert set(settings("zero-to-jupyterhub.yaml")) <= {"singleuser", "scheduling", "prePuller", "cull", "hub", "proxy"}
    assert (NOTEBOOKS / settings("zero-to-jupyterhub.yaml")["singleuser"]["defaultUrl"].rpartition("/")[2]).exists()


needs_a_shell = pytest.mark.skipif(os.name == "nt", reason="images run Linux; Windows keeps no mark of what may be run")


@needs_a_shell
@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_what_an_image_starts_may_be_run(name):
    assert os.access(ROOT / name, os.X_OK)
    assert (ROOT / name).read_text(encoding="utf-8").startswith("#!")


def started(environment, folder):
    """What a server is given by `start`: the words and the environment of a stand-in for `jupyter`."""
    stub = folder / "jupyter"
    stub.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\nprintf "\\0"\nenv -0\n', encoding="ascii")
    stub.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", **environment}
    words = [str(ROOT / "start"), "jupyter", "lab", "--ip", "a b"]
    said = subprocess.check_output(words, cwd=folder, env=environment, text=True)
    given, _, found = said.partition("\0\0")
    return given.split("\0"), dict(line.split("=", 1) for line in found.split("\0") if "=" in line)


@needs_a_shell
def test_start_gives_a_server_one_thread_and_our_settings(tmp_path):
    words, found = started({"REPO_DIR": str(ROOT)}, tmp_path)
    assert words == ["lab", "--ip", "a b"]
    assert {found[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} == {"1"}
    assert found["JUPYTER_CONFIG_PATH"] == found["JUPYTER_PATH"] == str(ROOT / "tools" / "jupyter")
    for name in ("jupyter_server_config.py", "labconfig/default_setting_overrides.json"):  # what is looked for there
        assert Path(found["JUPYTER_CONFIG_PATH"], name).exists()


@needs_a_shell
def test_start_takes_the_folder_that_repo2docker_names_and_else_its_own(tmp_path):
    _, elsewhere = started({"REPO_DIR": "/srv/a repo"}, tmp_path)
    assert elsewhere["JUPYTER_PATH"] == "/srv/a repo/tools/jupyter"
    _, here = started({}, tmp_path)
    assert here["JUPYTER_PATH"] == str(ROOT / "tools" / "jupyter")


@needs_a_shell
def test_start_keeps_what_the_image_had_set_behind_ours(tmp_path):
    names = ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH")
    _, found = started({"REPO_DIR": "/srv", **dict.fromkeys(names, "/image/etc:/image/more")}, tmp_path)
    assert [found[name] for name in names] == ["/srv/tools/jupyter:/image/etc:/image/more"] * 2


@needs_a_shell
def test_the_notebooks_come_onto_a_students_disk_once_and_the_server_begins_there(tmp_path):
    cluster = settings("zero-to-jupyterhub.yaml")
    disk = cluster["singleuser"]["storage"]["homeMountPath"]
    assert disk == cluster["hub"]["config"]["KubeSpawner"]["notebook_dir"]
    shell, option, words = cluster["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"]
    command = [shell, option, words.replace(disk, str(tmp_path))]
    first = NOTEBOOKS / cluster["singleuser"]["defaultUrl"].rpartition("/")[2]
    for _ in range(2):  # the student's second server finds what the first one left
        subprocess.run(command, check=True, env={**os.environ, "REPO_DIR": str(ROOT)})
        mine = tmp_path / "notebooks" / first.name
        assert mine.exists()
        mine.write_text("changed", encoding="utf-8")
    subprocess.run(command, check=True, env={**os.environ, "REPO_DIR": str(ROOT)})
    assert mine.read_text(encoding="utf-8") == "changed"


def test_the_page_reckons_with_what_was_measured():
    parts = pages.sizing()
    assert int(parts["STUDENT"]) == MEASURED["server_mb"] + MEASURED["kernel_mb"]
    assert int(parts["MEMORY500"]) * 1024 >= 500 * int(parts["STUDENT"])
    assert int(parts["CPU30"]) * 120 >= 30 * MEASURED["processor_seconds"]


def test_the_form_for_reports_has_the_fields_that_a_link_fills_in():
    link = pages.report("https://github.com/owner/name", "https://example.org", "05_unroll_k_steps", "5.2")
    address, _, query = link.partition("?")
    fields = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
    assert address == "https://github.com/owner/name/issues/new"
    assert fields.pop("where") == "(5.2), 05_unroll_k_steps, https://example.org/05_unroll_k_steps.html#eq-5.2"
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / fields.pop("template")).read_text(encoding="utf-8"))
    assert "where" in {entry["id"] for entry in form["body"]}
    assert fields == {"title": "(5.2): "}
    assert "where=claims&" in pages.report("", "", "claims") + "&"


# ---- what is missing


def test_a_machine_without_node_is_told_so(tmp_path, monkeypatch):
    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(build_site, "SITE", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"Node is missing.*apt install nodejs npm"):
        build_site.install_node()


# ---- addresses


@pytest.mark.parametrize("address", ["", "https://example.org/meta"])
def test_an_address_is_named_only_where_it_is_known(address):
    repository = address and "https://github.com/owner/name"
    sentences = pages.where_to_run(repository, has_lab=bool(address))
    assert ("colab" in sentences["HOSTED"].lower()) == bool(repository)
    assert ("href" in sentences["LAB"]) == bool(address)
