"""Show the lectures as slides: `python3 lab.py slides` writes both decks, serves them here, and opens the first.

    python3 lab.py slides                  write, serve on this machine alone, open in the browser; Ctrl-C ends it
    python3 lab.py slides --write FOLDER   write the decks into a folder, and no more

Each deck is one page that asks no other host for anything: reveal.js, KaTeX and their fonts stand beside it.
Press S for the speaker's view with notes, F for the full screen, ? for all keys.
"""

import argparse
import shutil
import sys
import webbrowser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import loopback
from notebooks_as_data import LECTURES, ROOT, read

DECK = Path(__file__).parent / "deck"  # template, style, and what the page asks for
BUILD = ROOT / "build" / "slides"


def write(folder):
    """Export every lecture into a folder, with all that the pages ask for; return the pages."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DECK, folder / "deck", dirs_exist_ok=True, ignore=shutil.ignore_patterns("house"))
    pages = []
    for path in sorted(LECTURES.glob("*.ipynb")):
        page = folder / f"{path.stem}.html"
        page.write_text(as_page(read(path)), encoding="utf-8")
        pages.append(page)
    return pages


def as_page(notebook):
    """A lecture as HTML, by nbconvert and our own template."""
    from nbconvert import SlidesExporter

    name_pictures_in_notes(notebook)
    exporter = SlidesExporter(template_name="house", extra_template_basedirs=[str(DECK)], exclude_anchor_links=True)
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"title": title}})
    return page


def slides_of(notebook):
    """The cells of each slide, in order; cells that are skipped belong to none."""
    slides = []
    for cell in notebook.cells:
        kind = kind_of(cell)
        if kind in ("slide", "subslide"):
            slides.append([])
        if kind != "skip":
            slides[-1].append(cell)
    return slides


def kind_of(cell):
    """What a cell is to the deck: slide, subslide, fragment, notes, skip, or - for more of the same."""
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def name_pictures_in_notes(notebook):
    """Move the sentence under each picture to the slide's notes: on the slide it stays as the alternative text."""
    for slide in slides_of(notebook):
        notes = next(cell for cell in slide if kind_of(cell) == "notes")
        for cell in slide:
            if cell.cell_type != "code":
                continue
            alternatives = [o.metadata["image/png"]["alt"] for o in cell.outputs if "image/png" in data(o)]
            printed = {f"*{alternative}*" for alternative in alternatives}
            cell.outputs = [o for o in cell.outputs if data(o).get("text/markdown") not in printed]
            notes.source += "".join(f"\n\n*The picture says:* {alternative}" for alternative in alternatives)


def data(output):
    """What an output shows, by MIME type."""
    return output.get("data", {})


def main(words):
    parser = argparse.ArgumentParser(prog="lab.py slides", description=__doc__.splitlines()[0])
    parser.add_argument("--write", metavar="FOLDER", help="write the decks into this folder, and do not serve them")
    chosen = parser.parse_args(words)
    pages = write(chosen.write or BUILD)
    if chosen.write:
        return print(*pages, sep="\n")
    with loopback.served(BUILD) as address:
        print(*(f"{page.stem:<12} {address}/{page.name}" for page in pages), sep="\n")
        print("S: speaker's view with notes.  F: full screen.  ?: all keys.  Ctrl-C here ends the lecture.", flush=True)
        webbrowser.open(f"{address}/{pages[0].name}")
        loopback.until_interrupted()


if __name__ == "__main__":
    main(sys.argv[1:])
