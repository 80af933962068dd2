"""Build the reading site from the stored notebooks, and serve it on this machine alone: `python3 lab.py site`.

    python3 lab.py site            build into build/site/html, and serve it until Ctrl-C
    python3 lab.py site --build    only build; the pages work from their folder, too
    python3 lab.py site --lite     build with the lab that runs in the reader's browser; --build --lite only builds
    python3 lab.py site --test     build, and look at every page in a browser

Sphinx and the rest have an environment of their own, .venv-site; KaTeX comes from npm and needs Node, to build only.
Both are installed here, from locks, when they first are needed.
"""

import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import loopback

import lab

ROOT = lab.ROOT
SITE = ROOT / "site"
VENV = ROOT / ".venv-site"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
LOCK = ROOT / "requirements-site.txt"
SLIDES = ROOT / "tools" / "slides.py"
HTML = ROOT / "build" / "site" / "html"


def is_made_from(stamp, lock):
    """Whether something was installed to its end from today's lock."""
    return stamp.exists() and stamp.read_text(encoding="ascii") == lab.fingerprint(lock)


def install_python():
    stamp = VENV / "complete"
    if is_made_from(stamp, LOCK):
        return
    print("site: setting up .venv-site, once", flush=True)
    venv.create(VENV, with_pip=True, clear=True)
    if subprocess.call([str(PYTHON), *lab.pip_install(LOCK)]):
        sys.exit("site: pip could not install the packages; its own words stand above.")
    stamp.write_text(lab.fingerprint(LOCK), encoding="ascii")


def install_node():
    stamp = SITE / "node_modules" / "complete"
    lock = SITE / "package-lock.json"
    if is_made_from(stamp, lock):
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
    stamp.write_text(lab.fingerprint(lock), encoding="ascii")


def build(with_lab):
    """Build all pages; a warning, such as a link that leads nowhere, is an error."""
    begun = time.monotonic()
    settings = dict(os.environ, SITE_LAB="yes" if with_lab else "")
    shutil.rmtree(HTML, ignore_errors=True)
    (ROOT / "build" / "site" / "source").mkdir(parents=True, exist_ok=True)
    words = ["-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html", "-c", str(SITE)]
    words += ["-d", str(ROOT / "build" / "site" / "doctrees"), str(ROOT / "build" / "site" / "source"), str(HTML)]
    if subprocess.call([str(PYTHON), *words], cwd=ROOT, env=settings):
        sys.exit("site: the pages could not be built, or something in them leads nowhere; the words stand above.")
    shutil.rmtree(HTML / "_sources", ignore_errors=True)  # what myst-nb leaves; the notebooks stand beside the pages
    if SLIDES.exists() and subprocess.call([sys.executable, str(SLIDES), "--write", str(HTML / "lectures")]):
        sys.exit("site: the slides could not be written; call `python3 lab.py site`, whose Python has what they need.")
    size = sum(file.stat().st_size for file in HTML.rglob("*") if file.is_file())
    pages = len(list(HTML.rglob("*.html")))
    if with_lab:
        build_lab()
    print(f"site: {pages} pages, {size / 1e6:.1f} MB, in {time.monotonic() - begun:.0f} s: {HTML / 'index.html'}")


def build_lab():
    """JupyterLite beside the pages: all notebooks, and mathlib as a wheel. The reader's browser fetches its Python."""
    folder = ROOT / "build" / "site" / "lab"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pip = [str(PYTHON), "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"]
    if subprocess.call([*pip, "--wheel-dir", str(folder), str(ROOT)]):
        sys.exit("site: pip could not make a wheel of mathlib; its own words stand above.")
    contents = ROOT / "build" / "site" / "contents"
    words = ["-m", "jupyterlite_core.app", "build", "--no-sourcemaps", "--apps", "lab", "--contents", str(contents)]
    words += ["--piplite-wheels", str(next(folder.glob("*.whl"))), "--output-dir", str(HTML / "lab")]
    if subprocess.call([str(PYTHON), *words], cwd=folder, stdout=subprocess.DEVNULL):
        sys.exit("site: the lab could not be built; JupyterLite's own words stand above.")


def serve():
    with loopback.served(HTML) as address:
        print(f"site: {address}/ until Ctrl-C", flush=True)
        loopback.until_interrupted()


def test(words):
    """Run the tests of the site in its own environment, which knows nothing of the notebooks' plugins."""
    files = ["tests/test_site.py", "tests/browser/test_pages.py"]
    options = ["--confcutdir=tests/browser", "-o", "addopts=", "-p", "no:cacheprovider", "-q", "-rs"]
    sys.exit(subprocess.call([str(PYTHON), "-m", "pytest", *options, *files, *words], cwd=ROOT))


def main(words):
    known = ["--build", "--lite", "--test"]
    if set(words) - set(known) and words[:1] != ["--test"]:
        sys.exit(f"site: the words are {words}; expected none, or some of {known}. " + __doc__)
    install_node()
    install_python()
    build(with_lab="--lite" in words)
    if "--test" in words:
        test([word for word in words if word not in known])
    if "--build" not in words:
        serve()


if __name__ == "__main__":
    main(sys.argv[1:])
