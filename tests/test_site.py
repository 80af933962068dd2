"""The reading site: what its sources are made of, and every page in a browser.

The first tests need nothing. The others, marked `browser`, look at build/site/html with the system's Chromium;
`python3 lab.py site --test` builds it and runs them in the environment that has Playwright.
"""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "build" / "site" / "html"
AXE = ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js"
OTHERS = {"lectures", "lab"}  # the slides have their own tests, and the lab in the browser is not ours
PAGES = [path.relative_to(HTML) for path in sorted(HTML.rglob("*.html"))]
PAGES = [path.as_posix() for path in PAGES if path.parts[0] not in OTHERS]
PHONE, DESK = 390, 1280
PAPER = 673  # CSS pixels between the margins of A4
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

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


# ---- every page in a browser


def chromium():
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def needed():
    """What is missing to look at the pages, in words; empty if nothing is."""
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is missing here; `python3 lab.py site --test` runs these tests where it is"
    if not chromium():
        return "no Chromium on this machine; on Debian: apt install chromium"
    if not PAGES:
        return "the site is not built; `python3 lab.py site --build` builds it"
    if not AXE.exists():
        return "axe-core is missing; `npm ci` in site/ installs it"
    return ""


browser_test = [pytest.mark.browser, pytest.mark.skipif(bool(needed()), reason=needed() or "-")]
every_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def chrome():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield running
        running.close()


@pytest.fixture
def visit(chrome):
    """Open a page from its folder; what it asks of other hosts, and what it complains of, is written down."""
    contexts = []

    def visit(name, width=DESK, theme="light", is_open=False):
        contexts.append(chrome.new_context(viewport={"width": width, "height": 800}, color_scheme=theme))
        page = contexts[-1].new_page()
        page.wrong = []
        page.on("request", lambda r: r.url.startswith(("file:", "data:")) or page.wrong.append(r.url))
        page.on("requestfailed", lambda r: page.wrong.append(f"failed: {r.url}"))
        page.on("console", lambda m: page.wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.goto(f"file://{HTML}/{name}")
        if is_open:
            page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
            page.wait_for_timeout(50)
        return page

    yield visit
    for context in contexts:
        context.close()


class TestEveryPage:
    pytestmark = browser_test

    @every_page
    def test_asks_no_other_host_and_shows_its_mathematics(self, visit, name):
        page = visit(name, is_open=True)
        assert page.wrong == []
        assert page.locator(".katex-error").count() == 0
        text = page.evaluate(
            "(() => { const copy = document.querySelector('main').cloneNode(true);"
            " copy.querySelectorAll('pre, code, .katex, script').forEach((e) => e.remove());"
            " return copy.textContent; })()"
        )
        assert [word for word in ("$", "\\frac", "\\nabla", "\\theta", "\\tag", "{claim}", ":::") if word in text] == []
        assert page.evaluate("[...document.images].filter((i) => !i.alt.trim()).length") == 0

    @every_page
    @pytest.mark.parametrize("width", [PHONE, DESK])
    def test_does_not_scroll_sideways(self, visit, name, width):
        page = visit(name, width, is_open=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    @every_page
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_meets_wcag_aa(self, visit, name, theme):
        page = visit(name, PHONE, theme, is_open=True)
        page.add_script_tag(path=str(AXE))
        found = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],"
            " resultTypes: ['violations']}).then((r) => r.violations.map((v) =>"
            " [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary.slice(0, 200)]))"
        )
        assert found == []

    @every_page
    def test_prints_without_cutting_a_formula(self, visit, name):
        page = visit(name)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PAPER, "height": 900})
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.wait_for_timeout(50)
        cut = page.evaluate(
            "[...document.querySelectorAll('article .katex-html, article img, article table, article pre')]"
            f".filter((e) => e.getBoundingClientRect().right > {PAPER} + 1 || e.scrollWidth > {PAPER} + 1)"
            ".map((e) => [e.tagName, e.textContent.slice(0, 60), e.scrollWidth])"
        )
        assert cut == []
        assert page.evaluate("document.querySelectorAll('article details:not([open])').length") == 0

    @every_page
    def test_is_reachable_by_keyboard(self, visit, name):
        page = visit(name, PHONE, is_open=True)
        out_of_reach = page.evaluate(
            "[...document.querySelectorAll('article div.math, article .wide, article pre')].filter((e) =>"
            " e.tabIndex < 0 && e.scrollWidth > e.clientWidth + 1"
            " && getComputedStyle(e).overflowX !== 'visible').length"
        )
        assert out_of_reach == 0
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "home"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


class TestFrontPage:
    pytestmark = browser_test

    def test_weighs_less_than_300_kilobytes(self, visit):
        page = visit("index.html", PHONE)
        page.reload(wait_until="networkidle")
        names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
        files = {HTML / "index.html"} | {
            Path(name.removeprefix("file://").split("?")[0]) for name in names if name[:5] == "file:"
        }
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


class TestReading:
    pytestmark = browser_test

    @pytest.mark.parametrize("how", ["hover", "focus"])
    def test_a_citation_shows_its_equation(self, visit, how):
        page = visit("06_drop_the_second_order.html")
        for where in ("[href^='#']", "[href*='05_']"):  # on this page, and on another
            getattr(page.locator(f"article a.cite{where}:visible").first, how)()
            page.locator("#equation .katex").first.wait_for(state="visible", timeout=3000)
            page.keyboard.press("Escape")
            assert page.locator("#equation").is_hidden()
        assert page.wrong == []

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
        assert page.wrong == []

    def test_colours_follow_the_button(self, visit):
        page = visit("index.html")
        paper = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(paper)
        page.locator("button.theme").click()
        assert page.evaluate(paper) != before
        page.reload()
        assert page.evaluate(paper) != before
