"""The reading site: what its sources are made of, the settings for a class, and what is said where something is amiss.

Nothing here needs Sphinx, Node or a browser; tests/browser/test_pages.py looks at the pages once they are built.
"""

import importlib.util
import json
import os
import shutil
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


def test_each_question_leads_to_a_section_or_names_what_is_to_come(collection):
    questions = [row for _, group in collection.questions for row in group]
    assert len(questions) >= 28
    assert len({name for name, *_ in questions}) == len(questions)
    for name, _, _, where in questions:
        assert pages.LINK.search(where) or "notebook" in where, name


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


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no mark that a file may be run")
@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_what_an_image_starts_may_be_run(name):
    assert os.access(ROOT / name, os.X_OK)
    assert (ROOT / name).read_text(encoding="utf-8").startswith("#!")


def test_the_page_reckons_with_what_was_measured():
    parts = pages.sizing()
    assert int(parts["STUDENT"]) == MEASURED["server_mb"] + MEASURED["kernel_mb"]
    assert int(parts["MEMORY500"]) * 1024 >= 500 * int(parts["STUDENT"])
    assert int(parts["CPU30"]) * 120 >= 30 * MEASURED["processor_seconds"]


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
