"""The lectures: what a slide has to have, and, in a browser, that a class can read it and no other host is asked."""

import copy
import hashlib
import http.client
import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse

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


# ---- without a browser


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
    with slides.served(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", "/page.html")
        assert connection.getresponse().read() == b"here"
        assert server.server_address[0] == "127.0.0.1"
        connection.close()
        server.shutdown()


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


# ---- in a browser

WORDS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]

# What is outside its slide, at most a few of each; and what a reader sees, without KaTeX's copy for screen readers.
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), outside = [], small = [];
  const skipped = e => e.closest("aside.notes, .katex-mathml") || (e.closest(".katex") && !e.matches(".katex, .base"));
  for (const e of slide.querySelectorAll("*")) {
    const box = e.getBoundingClientRect();
    if (skipped(e) || !box.width || !box.height) continue;
    if (box.left < 0 || box.top < 0 || box.right > 1280 || box.bottom > 720)
      outside.push(`${e.tagName} ${Math.round(box.right)} x ${Math.round(box.bottom)}`);
    if (e.matches("pre") && e.scrollWidth > e.clientWidth) outside.push(`code ${e.scrollWidth} wide`);
  }
  const shown = slide.cloneNode(true);
  shown.querySelectorAll("aside.notes, .katex-mathml, pre, code").forEach(e => e.remove());
  const words = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const parent = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || parent.closest("aside.notes, .katex")) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < 24) small.push(`${size} px: ${words.currentNode.data.trim().slice(0, 20)}`);
  }
  return { outside: outside.slice(0, 3), small: small.slice(0, 3), text: shown.textContent,
           errors: slide.querySelectorAll(".katex-error").length,
           hidden: slide.querySelectorAll(".fragment:not(.visible)").length };
}"""


@pytest.fixture(scope="module")
def browser():
    """Chromium, or a sentence that says what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser test: pip install playwright")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no browser test: no Chromium is installed (Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=WORDS)
        yield running
        running.close()


@pytest.fixture
def walk(browser, decks):
    """A function that opens a deck and returns the page, with lists of what it asked for and complained about."""
    with slides.served(decks[0].parent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))

        def opened(name, query=""):
            page.goto(f"http://127.0.0.1:{server.server_port}/{name}.html{query}")
            page.wait_for_function("window.Reveal && Reveal.isReady()")
            page.evaluate("document.fonts.ready.then(() => true)")
            return page

        yield opened
        page.close()
        server.shutdown()


def raw_tex(text):
    """What a reader should see as a formula, and sees as TeX."""
    return re.findall(r"\\[a-zA-Z({\[]+|\$", text)


@pytest.mark.browser
@every_deck
def test_every_slide_fits_1280_by_720_with_large_type_and_no_raw_tex(walk, path):
    page = walk(path.stem)
    wrong = {}
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({number}, 0, 999)")  # with all its fragments
        seen = page.evaluate(LOOK)
        found = [*seen["outside"], *seen["small"], *raw_tex(seen["text"])]
        if found or seen["errors"] or seen["hidden"]:
            wrong[number + 1] = found or seen
    assert wrong == {}
    assert page.complaints == []


@pytest.mark.browser
@every_deck
def test_walked_by_keyboard_a_deck_ends_and_asks_no_other_host(walk, path):
    page = walk(path.stem)
    for _ in range(400):
        if page.evaluate("Reveal.getProgress() === 1 && !Reveal.availableFragments().next"):
            break
        page.keyboard.press("Space")
    assert page.evaluate("Reveal.getProgress()") == 1
    hosts = {urllib.parse.urlsplit(address).hostname for address in page.asked if not address.startswith("data:")}
    assert hosts == {"127.0.0.1"}
    assert page.complaints == []


@pytest.mark.browser
def test_the_product_appears_factor_by_factor_from_the_right(walk):
    page = walk("one_hour")
    board = page.evaluate("Reveal.getSlides().findIndex(slide => slide.querySelector('.board'))")
    page.evaluate(f"Reveal.slide({board})")
    shown = "[...document.querySelectorAll('.present .board .maml')].map(e => e.classList.contains('visible'))"
    stages = [page.evaluate(shown)]
    for _ in range(4):
        page.keyboard.press("Space")
        stages.append(page.evaluate(shown))
    assert stages == [[i >= 4 - n for i in range(4)] for n in range(5)]


@pytest.mark.browser
def test_the_key_s_opens_the_speakers_view_with_the_notes_of_the_slide(walk):
    page = walk("one_hour", "#/1")
    with page.expect_popup() as opening:
        page.keyboard.press("s")
    view = opening.value
    view.wait_for_function("document.body.innerText.includes('Say only what the arrows are')")
    view.close()


@pytest.mark.browser
def test_what_does_not_fit_raw_tex_and_small_type_are_noticed(walk):
    page = walk("one_hour")
    page.evaluate(
        "Reveal.getCurrentSlide().insertAdjacentHTML('beforeend',"
        r" '<p style=\"font-size: 20px; height: 900px\">\\frac12 and $x$</p>')"
    )
    seen = page.evaluate(LOOK)
    assert seen["outside"]
    assert seen["small"]
    assert raw_tex(seen["text"]) == ["\\frac", "$", "$"]
