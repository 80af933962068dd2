"""One environment in three files, locks without addresses, and a repository that speaks of nothing but the project."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from compare_pictures import TOLERANCE, difference
from notebooks_as_data import ROOT, code_cells, notebook_paths, read
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from refresh_notebooks import README_PICTURE

from mathlib.figures import way_back

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-browser.txt",
    "requirements-site.txt",
    "requirements-frameworks.txt",
]


LAYERS = {
    "core": PYPROJECT["project"]["dependencies"],
    **PYPROJECT["project"]["optional-dependencies"],
    **PYPROJECT["dependency-groups"],
}
# What an import is called, where the package that brings it is called otherwise.
BROUGHT_BY = {"PIL": "pillow", "yaml": "pyyaml", "IPython": "ipython", "sklearn": "scikit-learn"}


def requirements(*layers):
    """Name and bounds of each package in the layers named; "core" is what everybody installs."""
    listed = [Requirement(entry) for layer in layers for entry in LAYERS[layer]]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in listed}


def declared():
    """What lab.py, conda and the images install."""
    return requirements("core", "notebooks", "test")


def imported_by(sources):
    """The packages from outside that the sources import, under the names they are installed by."""
    names = {
        (alias.name if isinstance(node, ast.Import) else node.module).partition(".")[0]
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
        for alias in node.names
    }
    folders = [ROOT / folder for folder in ("", "tools", "tests", "tests/browser", "benchmarks", "site")]
    own = {"mathlib"} | {path.stem for folder in folders for path in folder.glob("*.py")}
    return {canonicalize_name(BROUGHT_BY.get(name, name)) for name in names - own - set(sys.stdlib_module_names)}


def python_files(*folders):
    return [path.read_text(encoding="utf-8") for folder in folders for path in (ROOT / folder).rglob("*.py")]


def cells_of_notebooks():
    return [cell.source for path in notebook_paths() for cell in code_cells(read(path))]


def test_each_layer_declares_what_its_files_import():
    core = set(requirements("core"))
    assert imported_by(python_files("mathlib")) <= core
    assert imported_by(cells_of_notebooks()) <= core | set(requirements("notebooks", "frameworks"))
    tests = [*python_files("tests", "tools"), (ROOT / "conftest.py").read_text(encoding="utf-8")]
    assert imported_by(tests) <= core | set(requirements("notebooks", "test", "browser", "mutation", "frameworks"))
    assert imported_by(python_files("benchmarks")) <= core | set(requirements("notebooks", "frameworks"))


def test_nothing_is_declared_in_vain():
    """A package of the core is imported there, and what only tests need stays out of it."""
    assert set(requirements("core")) == imported_by(python_files("mathlib"))


def test_an_import_that_is_not_declared_is_noticed():
    assert imported_by(["import yaml.nodes\nfrom PIL import Image\nimport os, lab"]) == {"pyyaml", "pillow"}


def test_the_name_that_pip_knows_is_not_a_strangers():
    """A package called mathlib is published, and is not this one."""
    assert PYPROJECT["project"]["name"] == "meta-gradients"


def locked(name):
    """Each package of a lock with its versions: more than one where Python's version decides."""
    lines = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(encoding="utf-8"), re.M)
    versions = {}
    for package, version in lines:
        versions.setdefault(canonicalize_name(package), []).append(version)
    return versions


def test_conda_has_the_names_and_bounds_of_pyproject():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [Requirement(entry) for entry in entries if isinstance(entry, str)]
    conda = {canonicalize_name(r.name): r.specifier for r in plain}
    assert str(conda.pop("python")) == PYPROJECT["project"]["requires-python"]
    conda.pop("pip")
    assert conda == declared()
    assert {"pip": ["--editable ."]} in entries


def test_the_lock_holds_every_dependency_within_its_bounds():
    versions = locked("requirements.txt")
    for name, bounds in declared().items():
        assert versions[name], name
        assert all(bounds.contains(version) for version in versions[name]), name


@pytest.mark.parametrize("group", ["dev", "browser", "site"])
def test_what_a_word_of_lab_py_adds_is_locked_within_its_bounds(group):
    versions = locked(f"requirements-{group}.txt")
    for name, bounds in requirements(group).items():
        assert all(bounds.contains(version) for version in versions[name]), name


def test_the_frameworks_are_locked_all_but_torch_which_is_pinned_within_its_bounds():
    versions = locked("requirements-frameworks.txt")
    pinned = locked("requirements-torch.txt")
    assert set(pinned) == {"torch"}
    assert "torch" not in versions
    for name, bounds in requirements("frameworks").items():
        (version,) = (versions | pinned)[name]  # one for all Pythons: it is what the stored outputs were computed with
        assert bounds.contains(version), name
    ordinary = locked("requirements.txt")
    assert {name: versions[name] for name in ordinary} == ordinary


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_no_address_and_the_command_that_makes_it(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    head, *packages = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)
    assert "uv pip compile" in head
    assert f"--output-file {name}" in head
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)


# Folders of somebody's machine, and hosts of package registries. This file alone may name them.
FOREIGN = ["/root/", "/work/", "/Users/", "/home/", "/opt/", "pythonhosted.org", "pypi.org", "registry.npmjs"]


def tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_path_of_somebodys_machine_or_a_registry():
    for path in tracked_files():
        if path.suffix not in (".png", ".woff2") and path != Path(__file__).resolve():
            text = path.read_text(encoding="utf-8")
            assert not [word for word in FOREIGN if word in text], path


def test_no_build_product_is_tracked():
    assert not [
        p
        for p in tracked_files()
        if re.search(r"__pycache__|\.pyc$|checkpoint|\.egg-info|\.venv", str(p.relative_to(ROOT)))
    ]


@pytest.mark.stored
def test_the_picture_of_the_readme_is_what_its_function_draws():
    picture = way_back()
    assert difference(README_PICTURE.read_bytes(), picture) <= TOLERANCE
    assert f"![{picture.sentence}]" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_links_of_the_documents_resolve(page):
    for target in re.findall(r"\]\(([^)#\s]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


def test_every_notebook_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(notebooks/{p.name})" in readme for p in (ROOT / "notebooks").glob("*.ipynb"))
