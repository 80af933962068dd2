"""The reading site in a browser: every page on a phone, on a desk and on paper, in light and dark, by keyboard.

`python3 lab.py site --test` builds the site and runs this; `lab.py browser` looks at what was built last.
"""

import csv
import json
import os
import re
import struct
import urllib.parse
from html import unescape
from pathlib import Path

import loopback
import measure_site
import numpy as np
import pytest
from test_dragging import by_mathlib, random_states

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("SITE_HTML", ROOT / "build" / "site" / "html")).resolve()
AXE = ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js"
OTHERS = {"lectures", "lab"}  # the slides have their own tests, and the lab in the browser is not ours
PAGES = [path.relative_to(HTML) for path in sorted(HTML.rglob("*.html"))]
PAGES = [path.as_posix() for path in PAGES if path.parts[0] not in OTHERS]
PHONE, DESK = 390, 1280
SEEN = {"severe": ("error", "warning"), "color_scheme": "light"}
PAPER = 673  # CSS pixels between the margins of A4

pytestmark = pytest.mark.skipif(
    not (PAGES and AXE.exists()), reason="the reading site is not built: python3 lab.py site --build builds it"
)


@pytest.fixture
def visit(open_page):
    """Open a page from its folder, as whoever comes for the first time."""
    visited = []

    def visit(name, width=DESK):
        visited.append(open_page(**SEEN, viewport={"width": width, "height": 800}))
        visited[-1].goto(f"file://{HTML}/{name}")
        return visited[-1]

    yield visit
    for page in visited:
        page.context.close()


def wrong(page):
    """What the page complained of, and whatever it asked for that does not stand beside it."""
    return page.complaints + [address for address in page.asked if not address.startswith(("file:", "data:"))]


def turn(page, width, media="screen", theme="light"):
    """Look at a page in another width, on paper or on a screen, in light or dark; wait until it has settled."""
    page.emulate_media(media=media, color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


# What is asked of every page: each returns what is wrong, in the width and colours that the page has just then.


def mathematics_that_is_not_shown(page):
    text = page.evaluate(
        "(() => { const copy = document.querySelector('main').cloneNode(true);"
        " copy.querySelectorAll('pre, code, .katex, script').forEach((e) => e.remove());"
        " return copy.textContent; })()"
    )
    raw = ("$", "\\frac", "\\nabla", "\\theta", "\\tag", "{claim}", ":::")
    return [word for word in raw if word in text] + page.locator(".katex-error").all_inner_texts()


def pictures_without_words(page):
    return page.evaluate("[...document.images].filter((i) => !i.alt.trim()).map((i) => i.src)")


def wider_than_the_window(page):
    width = page.viewport_size["width"]
    found = page.evaluate("document.documentElement.scrollWidth")
    return [] if found <= width else [f"{found} of {width}"]


def out_of_a_keyboards_reach(page):
    """What scrolls sideways inside the page, and is not in the order of Tab."""
    return page.evaluate(
        "[...document.querySelectorAll('article div.math, article .wide, article pre')].filter((e) =>"
        " e.tabIndex < 0 && e.scrollWidth > e.clientWidth + 1"
        " && getComputedStyle(e).overflowX !== 'visible').map((e) => e.textContent.slice(0, 60))"
    )


def no_way_past_the_head(page):
    """The first two stops of Tab: past the head, and home; both can be seen."""
    page.evaluate("document.activeElement.blur()")
    found = []
    for name in ("skip", "home"):
        page.keyboard.press("Tab")
        seen = page.evaluate("(e => [e.className, getComputedStyle(e).outlineStyle])(document.activeElement)")
        found += [] if seen[0] == name and seen[1] != "none" else [seen]
    return found


def against_wcag_aa(page, *rules):
    """What axe finds; all its rules of WCAG 2.2 AA, or those named.

    Formulas are nine tenths of a page's elements and take the colour of their text: a word stands in for each, from
    here on. Whether a frame that scrolls can be reached is asked before.
    """
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=str(AXE))
        page.evaluate("for (const formula of document.querySelectorAll('.katex')) formula.textContent = 'formula'")
    only = rules or ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    return page.evaluate(
        "([type, values]) => axe.run({runOnly: {type, values}, preload: false})"
        ".then((r) => r.violations.map((v) =>"
        " [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary.slice(0, 200)]))",
        ["rule" if rules else "tag", list(only)],
    )


def colours_too_close(page):
    """What another scheme of colours can break; every other rule asks the same in light and dark."""
    return against_wcag_aa(page, "color-contrast", "link-in-text-block")


def cut_on_paper(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    return page.evaluate(
        "[...document.querySelectorAll('article .katex-html, article img, article table, article pre')]"
        f".filter((e) => e.getBoundingClientRect().right > {PAPER} + 1 || e.scrollWidth > {PAPER} + 1)"
        ".map((e) => [e.tagName, e.textContent.slice(0, 60), e.scrollWidth])"
    )


def pictures_that_did_not_come(page):
    """Paper shows what is further down, too, and a browser that prints does not wait for it."""
    return page.evaluate("[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)")


LOOKS = [  # (width, medium, colours), and what is asked there
    ((DESK, "screen", "light"), [mathematics_that_is_not_shown, pictures_without_words, wider_than_the_window]),
    ((PHONE, "screen", "light"), [no_way_past_the_head, wider_than_the_window, out_of_a_keyboards_reach]),
    ((PAPER, "print", "light"), [cut_on_paper, pictures_that_did_not_come]),
    ((PHONE, "screen", "light"), [against_wcag_aa]),
    ((PHONE, "screen", "dark"), [colours_too_close]),
]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_everywhere(visit, name):
    """One load, everything that folds open: on a desk, on a phone and on paper, in light and dark, by keyboard."""
    page = visit(name)
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    found = {}
    for look, questions in LOOKS:
        turn(page, *look)
        found |= {(*look, ask.__name__): answer for ask in questions if (answer := ask(page))}
    assert found == {}
    assert wrong(page) == []


# ---- what depends on addresses


def pages_with_an_address():
    """The text of each page, where the site was built with its address and that of its sources."""
    texts = {name: (HTML / name).read_text(encoding="utf-8") for name in PAGES}
    if not all('<link rel="canonical"' in text for text in texts.values()):
        pytest.skip("built without an address; `python3 lab.py site --test` builds with one")
    return texts


def test_every_numbered_claim_has_a_form_for_reports_with_its_place_filled_in():
    reported = set()
    for name, text in pages_with_an_address().items():
        places = re.findall(r'<div class="claim" id="(?:eq|claim)-([\d.]+)">(.*?)</div></div>', text, re.S)
        places += [("", text.rpartition("<footer>")[2])] if 'class="report"' in text.rpartition("<footer>")[2] else []
        for number, place in places:
            (link,) = re.findall(r'<a class="report" href="([^"]*)"', place)
            address, _, query = unescape(link).partition("?")
            fields = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
            assert address == "https://github.com/owner/name/issues/new"
            assert set(fields) == {"template", "title", "where"}
            page = re.search(r"https://example.org/meta/(\S+?\.html)(#\S+)?$", fields["where"])
            assert (HTML / page[1]).exists()
            if number:
                assert fields["where"].startswith(f"({number}), ")
                assert page[2] == f"#eq-{number}"
                assert f'id="eq-{number}"' in (HTML / page[1]).read_text(encoding="utf-8")
                reported.add((name == "claims.html", number))
            else:
                assert page[1] == name
    with (ROOT / "mathlib" / "data" / "claims.csv").open(encoding="utf-8", newline="") as file:
        claims = {row["claim"] for row in csv.DictReader(file)}
    assert reported == {(listed, number) for listed in (False, True) for number in claims}


def test_every_page_says_how_it_is_shown_beside_a_link():
    for name, text in pages_with_an_address().items():
        tags = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]*)" content="([^"]*)">', text))
        assert tags["og:url"] == f"https://example.org/meta/{name}"
        assert tags["og:image"] == tags["twitter:image"] == "https://example.org/meta/social.png"
        assert tags["og:image:alt"] == tags["twitter:image:alt"]
        assert 60 < len(tags["og:image:alt"]) < 420  # a screen reader reads it in one breath
        assert tags["og:title"] == tags["twitter:title"]
        assert tags["twitter:card"] == "summary_large_image"
        assert "$" not in "".join(tags.values()), name
        if name != "search.html":
            assert len(tags["og:description"]) > 20, name


def test_the_picture_beside_a_link_has_the_size_that_its_tags_say():
    picture = (HTML / "social.png").read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    assert len(picture) <= 150_000


class TestFrontPage:
    def test_weighs_less_than_300_kilobytes(self, visit):
        page = visit("index.html", PHONE)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload(wait_until="networkidle")
        files = {Path(url.removeprefix("file://")) for url in asked if url.startswith("file:")}
        assert len(files) > 4  # the page, two styles, a script, fonts
        assert sum(file.stat().st_size for file in files) < 300_000

    @pytest.mark.parametrize("word", ["ones", "detach", "relu", "memory"])
    def test_finds_a_question_while_typing(self, visit, word):
        page = visit("index.html", PHONE)
        before = page.locator(".question:visible").count()
        page.locator("#find").fill(word)
        after = page.locator(".question:visible").count()
        assert 0 < after < before
        assert page.locator("#found").inner_text() == f"{after} question{'s' if after > 1 else ''}"
        page.locator("#find").fill("")
        assert page.locator(".question:visible").count() == before

    def test_finds_each_question_by_three_of_its_own_words(self, visit):
        page = visit("index.html", PHONE)
        asked = dict(measure_site.questions())
        assert len(asked) >= 28
        for name, words in asked.items():
            page.locator("#find").fill(" ".join(words[:3]))
            shown = page.locator(".question:visible").evaluate_all("(all) => all.map((e) => e.id)")
            assert name.lower() in shown, (name, words[:3])
            assert len(shown) <= 8, (name, words[:3])  # what the letters of a formula find

    def test_shows_what_fits_best_where_no_question_has_every_word(self, visit):
        page = visit("index.html", PHONE)
        page.locator("#find").fill("detached gradients zebra")  # neither form stands in the table
        assert "with 2 of these 3 words" in page.locator("#found").inner_text()
        assert page.locator(".question:visible").count() > 0
        page.locator("#find").fill("zebra")
        assert page.locator("#found").inner_text() == "0 questions"
        page.get_by_role("link", name="Search all pages for this").click()
        page.wait_for_url(lambda address: address.endswith("search.html?q=zebra"))

    def test_one_tap_leads_to_the_field_that_finds_them(self, open_page):
        page = open_page(**SEEN, viewport={"width": PHONE, "height": 844}, has_touch=True, is_mobile=True)
        page.goto(f"file://{HTML}/index.html")
        page.get_by_role("link", name="Find your question", exact=True).tap()
        assert page.evaluate("document.activeElement.id") == "find"
        assert 0 <= page.locator("#find").bounding_box()["y"] < 200  # above a phone's keyboard, with room for rows
        page.context.close()

    def test_every_question_leads_to_a_heading_in_sight(self, visit):
        """The first of each page as it opens, the others on the open page; tools/measure_site.py opens one for each."""
        page = visit("index.html", PHONE)
        links = page.evaluate("[...document.querySelectorAll('.question .ask a')].map((a) => a.href)")
        assert len(links) >= 24
        for link in sorted(links):
            address, _, place = link.partition("#")
            if page.url.partition("#")[0] == address:
                page.evaluate("(place) => { location.hash = place; }", place)
            else:
                page.goto(link)
            page.wait_for_timeout(100)
            top = page.evaluate(
                "(() => { const box = document.getElementById(decodeURIComponent(location.hash.slice(1)));"
                " return (box.querySelector('h1, h2, h3') || box).getBoundingClientRect().top; })()"
            )
            assert 0 <= top < 400, (link, top)

    def test_tells_search_engines_its_questions(self, visit):
        page = visit("index.html")
        told = json.loads(page.locator("script[type='application/ld+json']").inner_text())
        assert told["@type"] == "FAQPage"
        assert len(told["mainEntity"]) >= 28
        assert not [entry["name"] for entry in told["mainEntity"] if "$" in entry["name"] or "\\" in entry["name"]]


@pytest.fixture
def address():
    """The site, served on this machine alone."""
    with loopback.served(HTML) as address:
        yield address


@pytest.mark.skipif(not (HTML / "lab").exists(), reason="the lab is not built; `python3 lab.py site --lite` builds it")
def test_the_lab_shows_a_notebook_and_asks_for_nothing_but_its_python(browser, address):
    page = browser.new_page()
    asked = set()
    page.context.on("request", lambda request: asked.add(request.url))
    page.goto(f"{address}/lab/lab/index.html?path=05_unroll_k_steps.ipynb")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=120_000)
    page.locator(".jp-NotebookPanel h1", has_text="Unroll K steps").wait_for(timeout=60_000)
    elsewhere = [url for url in asked if url.startswith("http") and not url.startswith(address)]
    assert [url for url in elsewhere if "/pyodide/" not in url] == []
    page.context.close()


# ---- the figure that is dragged, where readers meet it

DRAGGED = [name for name in PAGES if 'class="drag-theta"' in (HTML / name).read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", DRAGGED)
def test_a_figures_numbers_are_mathlibs_on_200_random_states(visit, name):
    page = visit(name)
    states = list(random_states(200))
    answers = page.evaluate(
        "(states) => states.map((s) => document.querySelector('.drag-theta').drag.state(...s))",
        [[theta.tolist(), alpha, K] for theta, alpha, K in states],
    )
    for state, answer in zip(states, answers, strict=True):
        for quantity, right in by_mathlib(*state).items():
            right = np.array(right)
            scale = 180 if quantity == "angle" else np.linalg.norm(right)
            assert np.linalg.norm(np.array(answer[quantity]) - right) <= 1e-9 * scale, (quantity, state)


class TestAFingerOnThePhone:
    """Touch, on a page 390 pixels wide: what is dragged moves, and what is beside it scrolls the page."""

    @pytest.fixture(params=DRAGGED)
    def page(self, request, open_page):
        page = open_page(**SEEN, viewport={"width": PHONE, "height": 844}, has_touch=True, is_mobile=True)
        page.goto(f"file://{HTML}/{request.param}")
        page.wait_for_function("document.querySelector('.drag-theta').drag?.now()")
        page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        page.wait_for_function("document.querySelector('.drag-theta').shadowRoot.querySelector('.contours[d]')")
        page.locator(".drag-theta").evaluate("(e) => scrollTo(0, e.getBoundingClientRect().top + scrollY - 80)")
        yield page
        page.context.close()

    def swipe(self, page, start, by):
        """One finger, put down, moved in ten steps and lifted."""
        session = page.context.new_cdp_session(page)
        steps = [(start[0] + by[0] * i / 10, start[1] + by[1] * i / 10) for i in range(11)]
        moves = [("touchStart", steps[:1]), *(("touchMove", [point]) for point in steps[1:]), ("touchEnd", [])]
        for kind, points in moves:
            touches = [{"x": x, "y": y} for x, y in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        page.wait_for_timeout(100)

    def middle(self, box):
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def now(self, page):
        return page.evaluate("document.querySelector('.drag-theta').drag.now()")

    def test_drags_the_start(self, page):
        before, scrolled = self.middle(page.locator(".knob").bounding_box()), page.evaluate("scrollY")
        said = page.locator(".words b").inner_text()
        self.swipe(page, before, (25, 60))  # downwards, as a page scrolls
        after = self.middle(page.locator(".knob").bounding_box())
        np.testing.assert_allclose(np.subtract(after, before), (25, 60), atol=1)
        assert page.locator(".words b").inner_text() != said
        assert page.evaluate("scrollY") == scrolled
        assert wrong(page) == []

    def test_moves_a_slider(self, page):
        box = page.locator("input.K").bounding_box()
        thumb = box["x"] + box["width"] * self.now(page)["K"] / 8, box["y"] + box["height"] / 2
        self.swipe(page, thumb, (box["x"] + box["width"] - thumb[0], 0))
        assert self.now(page)["K"] == 8

    def test_scrolls_the_page_from_the_picture(self, page):
        stage = page.locator(".drag-theta svg").bounding_box()
        theta, scrolled = self.now(page)["theta"], page.evaluate("scrollY")
        self.swipe(page, (stage["x"] + 0.8 * stage["width"], stage["y"] + 0.8 * stage["height"]), (0, -150))
        page.wait_for_function(f"scrollY > {scrolled} + 60")
        assert self.now(page)["theta"] == theta

    def test_can_hit_the_start_and_both_sliders(self, page):
        """24 pixels, as WCAG 2.2 AA asks."""
        for control in (".hit", "input.alpha", "input.K"):
            box = page.locator(control).bounding_box()
            assert min(box["width"], box["height"]) >= 24, control


class TestReading:
    def test_paper_unfolds_what_the_screen_folds(self, visit):
        page = visit("05_unroll_k_steps.html")
        folded = "document.querySelectorAll('article details:not([open])').length"
        assert page.evaluate(folded) > 3
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(folded) == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate(folded) > 3

    @pytest.mark.parametrize("how", ["hover", "focus"])
    def test_a_citation_shows_its_equation(self, visit, how):
        page = visit("06_drop_the_second_order.html")
        for where in ("[href^='#']", "[href*='05_']"):  # on this page, and on another
            getattr(page.locator(f"article a.cite{where}:visible").first, how)()
            page.locator("#equation .katex").first.wait_for(state="visible")
            page.keyboard.press("Escape")
            assert page.locator("#equation").is_hidden()
        assert wrong(page) == []

    def test_a_link_opens_the_fold_that_it_leads_into(self, visit):
        page = visit("05_unroll_k_steps.html")
        fold = page.locator("details.fold").last
        assert fold.get_attribute("open") is None
        inside = fold.locator(".claim").first.get_attribute("id")
        page.goto(f"file://{HTML}/05_unroll_k_steps.html#{inside}")
        page.locator(f"[id='{inside}']").wait_for(state="visible")

    def test_the_search_works_from_a_folder(self, visit):
        page = visit("search.html?q=Jacobian")
        page.locator("#search-results li a[href*='02_read_a_jacobian']").first.wait_for()  # they come one by one
        assert wrong(page) == []

    def test_colours_follow_the_button(self, visit):
        page = visit("index.html")
        paper = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(paper)
        page.locator("button.theme").click()
        assert page.evaluate(paper) != before
        page.reload()
        assert page.evaluate(paper) != before
