"""The lectures: what a slide has to have, and what is exported. That a class can read it: browser/test_projector.py."""

import copy
import hashlib
import http.client
import itertools
import re
import subprocess
import sys
import urllib.parse

import loopback
import pytest
import slides
from notebooks_as_data import LECTURES, LINK, ROOT, checks, claims, code_lines, notebook_paths, read
from slides import DECK, kind_of, slides_of

from mathlib import MISTAKES

DECKS = sorted(LECTURES.glob("*.ipynb"))
every_deck = pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
QUESTION = re.compile(r"^> .*[?.]$", re.M)
RESULT = re.compile(r"\\boxed|\bcheck\(")
NUMBER = re.compile(r"(?<![\w')])\((\d{1,2}\.\d{1,2})\)")  # a citation, in a formula too; f(0.4) is none
WIDEST = 55  # characters of code that fit a slide
LONGEST = 10  # lines of code


@pytest.fixture
def deck():
    """A copy of a real lecture, to plant defects in."""
    return copy.deepcopy(read(LECTURES / "one_hour.ipynb"))


def is_hidden(cell):
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def ill_made(deck):
    """Slides without one heading or notes, with a result before its question, or with code that does not fit."""
    wrong = []
    for number, cells in enumerate(slides_of(deck), start=1):
        kinds = [kind_of(cell) for cell in cells]
        texts = [cell.source for cell in cells if cell.cell_type == "markdown" and kind_of(cell) != "notes"]
        if sum(len(re.findall(r"^##? ", text, re.M)) for text in texts) != 1:
            wrong.append(f"slide {number} has not one heading")
        if kinds.count("notes") != 1 or kinds[1] != "notes" or "min" not in cells[1].source:
            wrong.append(f"slide {number} has no notes with minutes after its heading")
        elif "$" in cells[1].source:
            wrong.append(f"the notes of slide {number} hold TeX, which the speaker's view does not set")
        if any(RESULT.search(source) for source in before_question(cells)):
            wrong.append(f"slide {number} shows a result before it asks")
        for cell in cells:
            if cell.cell_type == "code" and not is_hidden(cell):
                lines = code_lines(cell)
                wrong += [f"slide {number} has code of {len(line)} characters" for line in lines if len(line) > WIDEST]
                wrong += [f"slide {number} has {len(lines)} lines of code"] if len(lines) > LONGEST else []
    return wrong


def before_question(cells):
    """What is shown on a slide before its question; everything, where it asks none."""
    shown = [cell.source for cell in cells if kind_of(cell) != "notes"]
    return itertools.takewhile(lambda source: not QUESTION.search(source), shown)


@every_deck
def test_each_slide_has_one_heading_notes_a_question_before_its_result_and_code_that_fits(path):
    assert ill_made(read(path)) == []


@every_deck
def test_the_minutes_of_the_notes_make_an_hour(path):
    first_words = [cells[1].source.split()[:2] for cells in slides_of(read(path))]
    assert all(re.match(r"min[., ]?", unit) for _, unit in first_words)
    assert sum(int(minutes.removeprefix("**")) for minutes, _ in first_words) == 60


@every_deck
def test_a_lecture_numbers_no_claim_and_cites_each_that_it_checks(path):
    lecture = read(path)
    numbers = {number for other in notebook_paths() for number, _ in claims(read(other))}
    checked = {number for number, _ in checks(lecture)}
    texts = " ".join(cell.source for cell in lecture.cells if cell.cell_type == "markdown")
    assert claims(lecture) == []
    assert checked <= set(NUMBER.findall(texts)) <= numbers


def test_what_is_ill_made_is_noticed(deck):
    assert ill_made(deck) == []
    first, second, third = slides_of(deck)[1:4]
    first[0].source += "\n\n## Another"
    second[1].source = "No time."
    third[1].source += " 2 min, $x$."
    fourth = slides_of(deck)[6]
    fourth[0].source = fourth[0].source.replace("> ", "")
    fourth[3].source += "\nx = " + "1 + " * 20 + "1"
    assert ill_made(deck) == [
        "slide 2 has not one heading",
        "slide 3 has no notes with minutes after its heading",
        "the notes of slide 4 hold TeX, which the speaker's view does not set",
        "slide 7 shows a result before it asks",
        "slide 7 has code of 85 characters",
    ]


def test_what_is_shipped_is_what_came():
    vendor = DECK / "vendor"
    sums = dict(line.split()[::-1] for line in (vendor / "SHA256SUMS").read_text(encoding="ascii").splitlines())
    shipped = {str(path.relative_to(vendor).as_posix()) for path in vendor.rglob("*") if path.is_file()}
    assert shipped == {*sums, "SHA256SUMS", "README.md"}
    assert {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name in sums} == sums


def test_a_lecture_is_exported_with_all_that_it_asks_for(decks):
    for page in decks:
        html = page.read_text(encoding="utf-8")
        asked = re.findall(r'<(?:script|link|img|iframe)[^>]*?(?:src|href)="([^"]*)"', html)
        files = [name for name in asked if not name.startswith("data:")]
        assert len(files) == 8
        assert all((page.parent / name).is_file() for name in files)
        assert html.count('class="notes"') == len(slides_of(read(LECTURES / f"{page.stem}.ipynb")))


def test_the_sentence_of_a_picture_goes_to_the_notes_and_stays_as_its_alternative_text(decks):
    html = decks[0].read_text(encoding="utf-8")
    sentence = "At θ = 0.4 the tangent has slope 0.46, the other line 0.37."
    assert f'alt="{sentence}"' in html
    assert f"The picture says:</em> {sentence}" in html
    assert f"<em>{sentence}" not in html


def test_slides_are_served_to_this_machine_alone(tmp_path):
    (tmp_path / "page.html").write_text("here", encoding="utf-8")
    with loopback.served(tmp_path) as address:
        bound = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(bound.hostname, bound.port, timeout=10)
        connection.request("GET", "/page.html")
        assert connection.getresponse().read() == b"here"
        assert bound.hostname == "127.0.0.1"
        connection.close()


def test_the_command_writes_the_decks_and_names_them(tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "slides.py"), "--write", str(tmp_path / "decks")]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()
    assert printed == [str(tmp_path / "decks" / f"{path.stem}.html") for path in DECKS]


def test_the_teachers_page_names_mistakes_and_exercises_that_there_are_and_links_that_lead_somewhere():
    text = (LECTURES / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| \*([^*]+)\* \|", text, re.M)
    assert len(named) >= 6
    assert set(named) <= set(MISTAKES)
    asked = {label for path in notebook_paths() for label, _ in checks(read(path), names=("check_answer",))}
    labels = set(re.findall(r"\b(\d{1,2}[A-D])\b", text))
    assert len(labels) >= 8
    assert labels <= asked
    assert all((LECTURES / target.partition("#")[0]).exists() for target in LINK.findall(text))


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """Both lectures, exported."""
    return slides.write(tmp_path_factory.mktemp("decks"))
