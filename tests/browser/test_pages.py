"""The reading site in a browser: every page on a phone, on a desk and on paper, in light and dark, by keyboard.

`python3 lab.py site --test` builds the site and runs this; `lab.py browser` looks at what was built last.
"""

import json
from pathlib import Path

import loopback
import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "build" / "site" / "html"
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


@pytest.fixture(scope="module", params=PAGES)
def opened(request, open_page):
    """A page, loaded once for all that is asked of it, everything that folds open."""
    page = open_page(**SEEN, viewport={"width": DESK, "height": 800})
    page.goto(f"file://{HTML}/{request.param}")
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    yield page
    page.context.close()


def wrong(page):
    """What the page complained of, and whatever it asked for that does not stand beside it."""
    return page.complaints + [address for address in page.asked if not address.startswith(("file:", "data:"))]


def turn(page, width, media="screen", theme="light"):
    """Look at a page in another width, on paper or on a screen, in light or dark; wait until it has settled."""
    page.emulate_media(media=media, color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(60)


class TestEveryPage:
    def test_asks_no_other_host_and_shows_its_mathematics(self, opened):
        turn(opened, DESK)
        assert wrong(opened) == []
        assert opened.locator(".katex-error").count() == 0
        text = opened.evaluate(
            "(() => { const copy = document.querySelector('main').cloneNode(true);"
            " copy.querySelectorAll('pre, code, .katex, script').forEach((e) => e.remove());"
            " return copy.textContent; })()"
        )
        assert [word for word in ("$", "\\frac", "\\nabla", "\\theta", "\\tag", "{claim}", ":::") if word in text] == []
        assert opened.evaluate("[...document.images].filter((i) => !i.alt.trim()).length") == 0

    @pytest.mark.parametrize("width", [PHONE, DESK])
    def test_does_not_scroll_sideways(self, opened, width):
        turn(opened, width)
        assert opened.evaluate("document.documentElement.scrollWidth") <= width

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_meets_wcag_aa(self, opened, theme):
        turn(opened, PHONE, theme=theme)
        if not opened.evaluate("'axe' in window"):
            opened.add_script_tag(path=str(AXE))
        found = opened.evaluate(  # formulas take the colour of their text, and are nine tenths of a page's elements
            "axe.run({exclude: ['.katex']}, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],"
            " resultTypes: ['violations']}).then((r) => r.violations.map((v) =>"
            " [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary.slice(0, 200)]))"
        )
        assert found == []

    def test_scrolls_by_keyboard_what_is_wider_than_a_phone(self, opened):
        turn(opened, PHONE)
        out_of_reach = opened.evaluate(
            "[...document.querySelectorAll('article div.math, article .wide, article pre')].filter((e) =>"
            " e.tabIndex < 0 && e.scrollWidth > e.clientWidth + 1"
            " && getComputedStyle(e).overflowX !== 'visible').length"
        )
        assert out_of_reach == 0

    def test_begins_with_a_way_past_its_head(self, opened):
        turn(opened, PHONE)
        opened.evaluate("document.activeElement.blur()")
        for name in ("skip", "home"):
            opened.keyboard.press("Tab")
            assert opened.evaluate("document.activeElement.className") == name
            assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"

    def test_prints_without_cutting_a_formula(self, opened):
        turn(opened, PAPER, media="print")
        opened.evaluate("dispatchEvent(new Event('beforeprint'))")
        cut = opened.evaluate(
            "[...document.querySelectorAll('article .katex-html, article img, article table, article pre')]"
            f".filter((e) => e.getBoundingClientRect().right > {PAPER} + 1 || e.scrollWidth > {PAPER} + 1)"
            ".map((e) => [e.tagName, e.textContent.slice(0, 60), e.scrollWidth])"
        )
        assert cut == []


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

    def test_every_question_leads_to_a_heading_in_sight(self, visit):
        page = visit("index.html", PHONE)
        links = page.evaluate("[...document.querySelectorAll('.question .ask a')].map((a) => a.href)")
        assert len(links) >= 24
        for link in links:
            page.goto("about:blank")
            page.goto(link)
            page.wait_for_timeout(100)
            place = page.evaluate(
                "(() => { const box = document.getElementById(decodeURIComponent(location.hash.slice(1)));"
                " return (box.querySelector('h1, h2, h3') || box).getBoundingClientRect().top; })()"
            )
            assert 0 <= place < 400, (link, place)

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
    page.get_by_text("Unroll K steps").first.wait_for(timeout=60_000)
    elsewhere = [url for url in asked if url.startswith("http") and not url.startswith(address)]
    assert [url for url in elsewhere if "/pyodide/" not in url] == []
    page.context.close()


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
            page.locator("#equation .katex").first.wait_for(state="visible", timeout=3000)
            page.keyboard.press("Escape")
            assert page.locator("#equation").is_hidden()
        assert wrong(page) == []

    def test_a_link_opens_the_fold_that_it_leads_into(self, visit):
        page = visit("05_unroll_k_steps.html")
        fold = page.locator("details.fold").last
        assert fold.get_attribute("open") is None
        inside = fold.locator(".claim").first.get_attribute("id")
        page.goto(f"file://{HTML}/05_unroll_k_steps.html#{inside}")
        page.locator(f"[id='{inside}']").wait_for(state="visible", timeout=3000)

    def test_the_search_works_from_a_folder(self, visit):
        page = visit("search.html?q=Jacobian")
        page.locator("#search-results li").first.wait_for(timeout=10_000)
        assert page.locator("#search-results li a[href*='02_read_a_jacobian']").count() > 0
        assert wrong(page) == []

    def test_colours_follow_the_button(self, visit):
        page = visit("index.html")
        paper = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(paper)
        page.locator("button.theme").click()
        assert page.evaluate(paper) != before
        page.reload()
        assert page.evaluate(paper) != before
