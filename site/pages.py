"""From the stored notebooks to the sources that Sphinx reads: nothing is executed, and nothing is written twice.

Links between notebooks become links to labels, pictures become files, `$$ … \\tag{5.2}$$` becomes the directive
`claim`, and the questions of the front page are read from the tables of the first notebook. Standard library only.
"""

import base64
import csv
import html
import json
import math
import re
import statistics
import struct
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import working_copy

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
FIRST = "00_start_here"
CLAIM = re.compile(r"\$\$((?:(?!\$\$).)*?)\\tag\{(\d+\.\d+)\}((?:(?!\$\$).)*?)\$\$", re.S)
LINK = re.compile(r"(?<!!)\[((?:\\.|`[^`]*`|\$[^$]*\$|[^\[\]])*)\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$")
# Whichever begins first: a link may have code in its text, and code may look like a link.
CODE_OR_LINK = re.compile(r"(?P<code>^```(?s:.*?)^```|`[^`\n]*`)|" + LINK.pattern, re.M)
MARKS = {"✓": "holds", "⊘": "refuted"}
KINDS = {  # what claims.csv says, and the mark that stands beside the number
    "proved for all": "proved",
    "proved at these d and K": "proved at these d, K",
    "measured on these cases": "measured",
    "by construction": "by construction",
}
UNICODE = {  # TeX's names for letters, then what is left of its braces
    **{r"\\" + name: letter for name, letter in zip(
        ("nabla", "theta", "alpha", "beta", "tau", "lambda", "partial", "cdots", "l?dots", "cdot", "times"),
        "∇θαβτλ∂⋯…·×", strict=True,
    )},
    "-": "−", r"\\[A-Za-z,;]+": "", r"\{(.)\}": r"\1", r"\{": "(", r"\}": ")",
}  # fmt: skip


class DeadLink(Exception):
    """A link that leads nowhere."""


def plain(markdown):
    """One line of text without marks, for titles, descriptions and search engines."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\$([^$]*)\$", lambda found: formula_in_letters(found[1]), text)
    return " ".join(re.sub(r"\*\*|`|(?<!\w)\*|\*(?!\w)", "", text).split())


def formula_in_letters(tex):
    """A short formula in Unicode: good enough for a title."""
    for pattern, letter in UNICODE.items():
        tex = re.sub(pattern, letter, tex)
    return re.sub(r"_(\d)", lambda found: chr(0x2080 + int(found[1])), tex)


def anchor_in_lab(title):
    """The anchor that JupyterLab gives to a heading."""
    return title.strip().replace(" ", "-")


class Notebook:
    """One notebook, its headings labelled."""

    def __init__(self, path):
        self.path = path
        self.name = path.relative_to(NOTEBOOKS).with_suffix("").as_posix()
        self.cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in self.cells:
            cell["source"] = "".join(cell["source"])
        self.labels = {}  # what a link may name after "#" → label of the page
        self.headings = []  # (level, title, label, number of the cell, folded?)
        for number, cell in enumerate(self.cells):
            if cell["cell_type"] == "markdown":
                self.label(number, cell)
        self.title = self.headings[0][1]

    def label(self, number, cell):
        """Put a label before each heading of a cell, and one before the cell."""
        lines = []
        folded = bool(cell["metadata"].get("jp-MarkdownHeadingCollapsed"))
        found = 0
        for line in cell["source"].splitlines():
            heading = HEADING.match(line)
            if heading:
                found += 1
                level, title = len(heading[1]), heading[2]
                fold = level == 2 and (folded or self.name.startswith("solutions/"))
                label = f"{'fold' if fold else 'cell'}-{cell['id']}" + (f"-{found}" if found > 1 else "")
                self.headings.append((level, title, label, number))
                self.labels.setdefault(anchor_in_lab(title), label)
                if found == 1:
                    self.labels["cell-id=" + cell["id"]] = label
                lines += [f"({label})=", ""]
            lines.append(line)
        if not found:
            self.labels["cell-id=" + cell["id"]] = f"cell-{cell['id']}"
            lines[:0] = [f"(cell-{cell['id']})=", ""]
        cell["source"] = "\n".join(lines)

    def section(self, number):
        """(title, label) of the section in which a cell stands."""
        return [(title, label) for _, title, label, where in self.headings if where <= number][-1]


class Collection:
    """All notebooks, with what only a look at all of them can tell."""

    def __init__(self):
        paths = sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(NOTEBOOKS.glob("solutions/*.ipynb"))
        self.notebooks = {path.resolve(): Notebook(path) for path in paths}
        self.chapters = [notebook for notebook in self.notebooks.values() if "/" not in notebook.name]
        self.named = {notebook.name: notebook for notebook in self.notebooks.values()}
        self.kinds = {}
        with (ROOT / "mathlib" / "data" / "claims.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self.kinds[row["claim"]] = row
        self.claims = {}  # number → (name of the page, TeX)
        self.pictures = []
        for notebook in self.notebooks.values():
            for cell in notebook.cells:
                if cell["cell_type"] == "markdown":
                    for before, number, after in CLAIM.findall(cell["source"]):
                        self.claims[number] = (notebook.name, (before + after).strip())
        self.questions = self.read_questions()
        self.asks = self.read_way_through()

    def target(self, notebook, address):
        """The label or page that a link of a notebook leads to, as MyST writes it."""
        if re.match(r"\w+:", address):
            return address
        name, _, anchor = urllib.parse.unquote(address).partition("#")
        path = (notebook.path.parent / name).resolve() if name else notebook.path.resolve()
        if path.parent == NOTEBOOKS / "lectures" and path.exists():
            return f"lectures/{path.stem}.html"
        if path not in self.notebooks:
            raise DeadLink(f"{notebook.name}: the link to {address} leads to no notebook")
        other = self.notebooks[path]
        if not anchor:
            return "#" + other.headings[0][2]
        if anchor not in other.labels:
            raise DeadLink(f"{notebook.name}: no heading or cell of {other.name} is called {anchor!r}")
        return "#" + other.labels[anchor]

    def linked(self, notebook, text):
        """Markdown with its links translated; code and formulas as they stand."""
        return CODE_OR_LINK.sub(lambda found: found["code"] or self.link(notebook, found[2], found[3]), text)

    def link(self, notebook, text, address):
        """One link; what Sphinx does not build, the slides, it is not asked about."""
        target = self.target(notebook, address)
        if target.startswith("lectures/"):
            return f'<a href="{"../" * notebook.name.count("/")}{target}">{text}</a>'
        return f"[{text}]({target})"

    def page(self, notebook, folder):
        """The notebook as Sphinx gets it; its pictures are written into a folder."""
        cells = []
        for number, cell in enumerate(notebook.cells):
            cell = dict(cell, metadata={})
            if cell["cell_type"] == "markdown":
                text = CLAIM.sub(lambda found: claim(found[2], found[1] + found[3]), cell["source"])
                cell["source"] = self.linked(notebook, text)
            else:
                cell["outputs"] = list(self.outputs(notebook, number, cell, folder))
            cells.append(cell)
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})

    def outputs(self, notebook, number, cell, folder):
        """What a cell shows, in the form that a page wants."""
        after_picture = False
        for i, output in enumerate(cell["outputs"]):
            data = output.get("data", {})
            if "image/png" in data:
                show = self.picture(notebook, number, f"{cell['id']}-{i}", output, folder)
                yield display("text/html", show)
            elif "text/markdown" in data:
                text = "".join(data["text/markdown"])
                style = "caption" if after_picture else MARKS.get(text[:1], "said")
                text = re.sub(r"\$\$\\displaystyle (.*?)\$\$", r"$$\1$$", text, flags=re.S)
                yield display("text/markdown", f":::::{{container}} {style}\n{text}\n:::::")
            elif "text/html" in data:
                yield display("text/html", "".join(data["text/html"]))
            else:
                yield output
            after_picture = "image/png" in data

    def picture(self, notebook, number, name, output, folder):
        """Write a picture; return the HTML that shows it, with its text."""
        said = output["metadata"].get("image/png", {})
        png = base64.b64decode("".join(output["data"]["image/png"]))
        wide, high = struct.unpack(">II", png[16:24])
        width = said.get("width", wide)
        file = f"{notebook.path.stem[:2]}-{name}.png"
        (folder / file).write_bytes(png)
        height = round(high * width / wide)
        alt = html.escape(said["alt"])
        self.pictures.append((notebook, number, file, alt, width, height))
        up = "../" * notebook.name.count("/")
        return f'<img src="{up}pictures/{file}" alt="{alt}" width="{width}" height="{height}" decoding="async">'

    def read_questions(self):
        """The questions as their askers put them: (group, [(name, question, answer, where)])."""
        groups = []
        for cell in self.named[FIRST].cells:
            if cell["cell_type"] != "markdown":
                continue
            for line in cell["source"].splitlines():
                if re.fullmatch(r"\*\*About .*\*\*", line):
                    groups.append((line.strip("*"), []))
                row = [part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]]
                if groups and len(row) == 4 and re.fullmatch(r"Q\d+", row[0]):
                    groups[-1][1].append(row)
        return groups

    def read_way_through(self):
        """The question that each notebook answers, from the table in the first one."""
        asks = {}
        for cell in self.named[FIRST].cells:
            for name, question in re.findall(r"^\| \[[^\]]*\]\((\w+)\.ipynb[^)]*\) \| (.+?) \|", cell["source"], re.M):
                asks[name] = question
        return asks


def display(mime, text):
    return {"output_type": "display_data", "data": {mime: text}, "metadata": {}}


def claim(number, tex):
    return f"\n\n```{{claim}} {number}\n{tex.strip()}\n```\n\n"


def list_of_questions(collection):
    """The questions in Markdown, each leading to its section, with its answer beneath."""
    first = collection.named[FIRST]
    lines = []
    for group, questions in collection.questions:
        lines += [f"### {group}", ""]
        for name, question, answer, where in questions:
            where = collection.linked(first, where)
            leads = LINK.search(where)
            ask = f"[{question}]({leads[2]})" if leads else question
            lines += [f"::::{{container}} question\n:name: {name.lower()}", ":::{container} ask", ask, ":::"]
            lines += [f"{answer} {where}", "::::", ""]
    return "\n".join(lines)


def list_of_claims(collection):
    """All claims with their equation and kind, notebook by notebook."""
    lines = []
    for chapter in collection.chapters:
        mine = [number for number, (name, _) in collection.claims.items() if name == chapter.name]
        if mine:
            lines += [f"## {chapter.name[:2]} {chapter.title}", ""]
        for number in mine:
            row = collection.kinds[number]
            lines += [f"```{{claim}} {number}\n:listed:\n{collection.claims[number][1]}\n```", ""]
            scope, lets_through = escape(row["scope"]), escape(row["lets_through"])
            lines += [f"Holds for: {scope}. The check alone lets through: {lets_through}.", ""]
    return "\n".join(lines)


def list_of_lectures():
    """A sentence that leads to the slides; empty where there are none."""
    links = []
    for path in sorted((NOTEBOOKS / "lectures").glob("*.ipynb")):
        links.append(f'<a href="lectures/{path.stem}.html">{path.stem.replace("_", " ")}</a>')
    return f"For a class, as slides: {', '.join(links)}." if links else ""


def list_of_pictures(collection):
    lines = []
    seen = None
    for notebook, number, file, alt, width, height in collection.pictures:
        if notebook is not seen:
            lines += [f"## {notebook.name[:2]} {notebook.title}", ""]
            seen = notebook
        title, label = notebook.section(number)
        show = f'<img src="pictures/{file}" alt="{alt}" width="{width}" height="{height}" decoding="async">'
        lines += ["```{raw} html", show, "```", "", f"[{title}](#{label})", ""]
    return "\n".join(lines)


def escape(text):
    return re.sub(r"([\\*_`$\[\]<>|])", r"\\\1", text)


def figure(collection):
    """What the first notebook shows first: the figure to drag where it is stored, else the picture."""
    for cell in collection.named[FIRST].cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                return "".join(output["data"]["text/html"])
    *_, file, alt, width, height = next(picture for picture in collection.pictures if picture[0].name == FIRST)
    return f'<img src="pictures/{file}" alt="{alt}" width="{width}" height="{height}">'


def to_run(path, in_browser=False):
    """A notebook without outputs, as `lab.py` opens it: the page shows them, and whoever takes it will run it."""
    notebook = json.loads(working_copy.content(path.read_bytes(), path.name))
    if in_browser:  # the wheel that stands beside the lab
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        code[0]["source"] = "%pip install -q meta-gradients\n" + "".join(code[0]["source"])
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def sizing():
    """What a class needs, from what one student was measured to need."""
    measured = json.loads((ROOT / "site" / "hub" / "measured.json").read_text(encoding="utf-8"))
    student = measured["server_mb"] + measured["kernel_mb"]
    parts = {
        "SERVER": measured["server_mb"],
        "KERNEL": measured["kernel_mb"],
        "HEAVIEST": measured["heaviest"],
        "SLOWEST": measured["slowest"],
        "SECONDS": measured["processor_seconds"],
        "TOGETHER": measured["together"],
        "SHARED": measured["together_mb"],
        "STUDENT": student,
    }
    for students in (30, 500):
        parts[f"MEMORY{students}"] = math.ceil((students * student + 1024) / 1024)
        parts[f"CPU{students}"] = math.ceil(students * measured["processor_seconds"] / 120)
    return {name: str(value) for name, value in parts.items()}


def report(repository, address, page, number=""):
    """The address of the form for reports, with the place filled in; the form's own fields are named by their id."""
    where = f"{f'({number}), ' if number else ''}{page}"
    if address:
        where += f", {address}/{page}.html" + (f"#eq-{number}" if number else "")
    fields = {"template": "an_equation_is_wrong.yml", "title": f"{f'({number})' if number else page}: ", "where": where}
    return f"{repository}/issues/new?{urllib.parse.urlencode(fields)}"


def table(head, rows):
    """A table in Markdown."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(field) for field in line) + " |" for line in lines)


def measured():
    """What tools/measure_site.py stored, as tables and sentences."""
    stored = json.loads((ROOT / "site" / "measured.json").read_text(encoding="utf-8"))
    asked, together = stored["newcomer"], stored["together"]
    slow = [row["question"] for row in asked if row.get("scroll")]
    frames = [
        (f"{where}: {what}", *(f"{ms:.1f}\u00a0ms" for ms in times)) for where, what, *times in stored["frames"]["rows"]
    ]
    weights = [
        (name, f"{page['bytes'] / 1e3:,.0f}\u00a0kB", page["requests"], page["hosts"], f"{page['formula_ms']}\u00a0ms")
        for name, page in sorted(stored["weight"].items(), key=lambda entry: (not entry[0].endswith(".html"), entry[0]))
    ]
    return {
        "MOVES": str(stored["frames"]["moves"]),
        "FRAMES": table(["", "median", "95\u00a0%", "longest"], frames),
        "WEIGHT": table(["page", "bytes", "requests", "hosts", "first formula"], weights),
        "ASKED": str(len(asked)),
        "MISSED": str(sum("failed" in row for row in asked)),
        "TAPS": str(max(row["taps"] for row in asked)),
        "SCROLLS": f"{len(slow)} ({', '.join(slow)})" if slow else "none",
        "ALONE": f"{statistics.median(row['seconds'] for row in asked):.1f}",
        "READERS": str(len(together)),
        "CROWD": f"{max(row['opened'] + row['seconds'] for row in together):.1f}",
        "CROWDTAPS": str(max(row["taps"] for row in together)),
    }


def where_to_run(repository, has_lab):
    """The sentences that depend on what was built, and on whether the repository has an address."""
    here = (
        '<a href="lab/lab/index.html">Open the lab in this browser</a>.'
        if has_lab
        else ("This copy of the site was built without the lab in the browser.")
    )
    hosted = (
        "Each page links to Binder and to Colab, with its notebook."
        if repository
        else (
            "This copy of the site was built without the address of its repository, so it links to no hosted service."
            " `SITE_REPOSITORY=https://github.com/owner/name python3 lab.py site` sets it."
        )
    )
    return {
        "LAB": here,
        "HOSTED": f"{hosted} A notebook opened alone there installs the core with the line in its first cell: take off"
        " the `#` and put in the address.",
    }


def write(source, extra, contents, repository="", has_lab=False):
    """Write the sources of the site, what is copied as it is, and the notebooks of the lab in the browser."""
    collection = Collection()
    (extra / "pictures").mkdir(parents=True)
    (source / "solutions").mkdir(parents=True)
    (extra / "notebooks" / "solutions").mkdir(parents=True)
    (contents / "solutions").mkdir(parents=True)
    (extra / "hub").mkdir()
    for settings in (ROOT / "site" / "hub").glob("*.yaml"):
        (extra / "hub" / settings.name).write_bytes(settings.read_bytes())
    for notebook in collection.notebooks.values():
        text = collection.page(notebook, extra / "pictures")
        (source / f"{notebook.name}.ipynb").write_text(text, encoding="utf-8")
        for folder, in_browser in ((extra / "notebooks", False), (contents, True)):
            (folder / f"{notebook.name}.ipynb").write_text(to_run(notebook.path, in_browser), encoding="utf-8")
    parts = {
        "CHAPTERS": "\n".join(notebook.name for notebook in collection.chapters),
        "SOLUTIONS": "\n".join(name for name in collection.named if name.startswith("solutions/")),
        "MAML": collection.claims["0.1"][1],
        "FIGURE": figure(collection),
        "LECTURES": list_of_lectures(),
        "QUESTIONS": list_of_questions(collection),
        "NUMBER": str(sum(len(questions) for _, questions in collection.questions)),
        "CLAIMS": list_of_claims(collection),
        "PICTURES": list_of_pictures(collection),
        **sizing(),
        **measured(),
        **where_to_run(repository, has_lab),
    }
    for page in (ROOT / "site").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"@([A-Z0-9]+)@", lambda found: parts[found[1]], text)
        (source / page.name).write_text(text, encoding="utf-8")
    return collection
