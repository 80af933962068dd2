"""Build the reading site from the stored notebooks, and serve it on this machine alone: `python3 lab.py site`.

    python3 lab.py site            build into build/site/html, and serve it until Ctrl-C
    python3 lab.py site --build    only build; the pages work from their folder, too
    python3 lab.py site --lite     build with the lab that runs in the reader's browser; --build --lite only builds
    python3 lab.py site --test     build, with addresses that stand in for yours, and look at every page in a browser

SITE_ADDRESS=https://… says where the site will be published, SITE_REPOSITORY=https://github.com/owner/name where its
sources are: pages then name their own address, and link to hosted services and to a form for reports.

Sphinx and the rest have an environment of their own, .venv-site; KaTeX comes from npm and needs Node, to build only.
Both are installed here, from locks, when they first are needed.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import browser
import loopback
import own_environment
import social_picture

import lab

ROOT = lab.ROOT
SITE = ROOT / "site"
VENV = ROOT / ".venv-site"
PYTHON = own_environment.python_of(VENV)
LOCK = ROOT / "requirements-site.txt"
SLIDES = ROOT / "tools" / "slides.py"
HTML = ROOT / "build" / "site" / "html"
TESTED = ROOT / "build" / "site" / "tested"
STAND_INS = {"SITE_ADDRESS": "https://example.org/meta", "SITE_REPOSITORY": "https://github.com/owner/name"}


def install_node():
    stamp = SITE / "node_modules" / "complete"
    lock = SITE / "package-lock.json"
    if own_environment.is_made_from(stamp, lock):
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        sys.exit(
            "site: Node is missing. It turns formulas into text when the site is built, and readers do not need it."
            " Install Node 18 or newer with npm (Debian or Ubuntu: sudo apt install nodejs npm), and try again."
        )
    print("site: npm installs KaTeX, once", flush=True)
    if subprocess.call([npm, "ci", "--no-audit", "--no-fund", "--silent"], cwd=SITE):
        sys.exit("site: npm could not install KaTeX; its own words stand above.")
    own_environment.finish(stamp, lock)


def build(folder, with_lab, addresses):
    """Build all pages into a folder; a warning, such as a link that leads nowhere, is an error."""
    begun = time.monotonic()
    picture = social_picture.social_picture()
    settings = {**os.environ, **addresses, "SITE_LAB": "yes" if with_lab else "", "SITE_PICTURE": picture.sentence}
    shutil.rmtree(folder, ignore_errors=True)
    (ROOT / "build" / "site" / "source").mkdir(parents=True, exist_ok=True)
    words = ["-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html", "-c", str(SITE)]
    words += ["-d", str(ROOT / "build" / "site" / "doctrees"), str(ROOT / "build" / "site" / "source"), str(folder)]
    if subprocess.call([str(PYTHON), *words], cwd=ROOT, env=settings):
        sys.exit("site: the pages could not be built, or something in them leads nowhere; the words stand above.")
    shutil.rmtree(folder / "_sources", ignore_errors=True)  # what myst-nb leaves; the notebooks stand beside the pages
    (folder / "social.png").write_bytes(picture.png())
    if SLIDES.exists() and subprocess.call([sys.executable, str(SLIDES), "--write", str(folder / "lectures")]):
        sys.exit("site: the slides could not be written; call `python3 lab.py site`, whose Python has what they need.")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    pages = len(list(folder.rglob("*.html")))
    if with_lab:
        build_lab(folder / "lab")
    print(f"site: {pages} pages, {size / 1e6:.1f} MB, in {time.monotonic() - begun:.0f} s: {folder / 'index.html'}")


def build_lab(output):
    """JupyterLite beside the pages: all notebooks, and mathlib as a wheel. The reader's browser fetches its Python."""
    folder = ROOT / "build" / "site" / "lab"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pip = [str(PYTHON), "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"]
    if subprocess.call([*pip, "--wheel-dir", str(folder), str(ROOT)]):
        sys.exit("site: pip could not make a wheel of mathlib; its own words stand above.")
    contents = ROOT / "build" / "site" / "contents"
    words = ["-m", "jupyterlite_core.app", "build", "--no-sourcemaps", "--apps", "lab", "--contents", str(contents)]
    words += ["--piplite-wheels", str(next(folder.glob("*.whl"))), "--output-dir", str(output)]
    if subprocess.call([str(PYTHON), *words], cwd=folder, stdout=subprocess.DEVNULL):
        sys.exit("site: the lab could not be built; JupyterLite's own words stand above.")


def serve():
    with loopback.served(HTML) as address:
        print(f"site: {address}/ until Ctrl-C", flush=True)
        loopback.until_interrupted()


def test(words):
    """Look at every page, on all cores. mathlib is at hand, because a figure's numbers have to agree with its."""
    browser.install()
    files = ["tests/test_site.py", "tests/browser/test_pages.py"]
    options = ["-o", "addopts=", "-p", "no:nbval", "-q", "-rs", "--numprocesses=auto", "--dist=worksteal"]
    looked_at = dict(os.environ, SITE_HTML=str(TESTED))
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *options, *files, *words], cwd=ROOT, env=looked_at))


def main(words):
    known = ["--build", "--lite", "--test"]
    if set(words) - set(known) and "--test" not in words:  # what follows it goes to pytest
        sys.exit(f"site: the words are {words}; expected none, or some of {known}. " + __doc__)
    install_node()
    own_environment.make(VENV, "site", {LOCK: lab.pip_install(LOCK)})
    with_lab = "--lite" in words
    if "--test" in words:
        build(TESTED, with_lab, STAND_INS)
        test([word for word in words if word not in known])
    build(HTML, with_lab, {})
    if "--build" not in words:
        serve()


if __name__ == "__main__":
    main(sys.argv[1:])
