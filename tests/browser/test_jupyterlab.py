"""Every notebook in a real JupyterLab: it runs to its end, fits the projector, and its links land."""

import posixpath
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import working_copy
from notebooks_as_data import LINK, absent_frameworks, read

from conftest import PROJECTOR, asked_elsewhere
from lab import environment, jupyterlab

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
NAMES = sorted(str(path.relative_to(NOTEBOOKS)) for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_" not in str(path))
CELL = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell[data-windowed-list-index='{}'] .jp-RenderedMarkdown"
PATIENCE = 120_000  # milliseconds; nothing is measured, a busy machine only takes longer

# What a page of JupyterLab is asked. `current` is the notebook in front.
READY = """async () => {
    await jupyterapp.restored;
    const current = jupyterapp.shell.currentWidget;
    await current.context.ready;
    await current.sessionContext.ready;
    return current.context.path;
}"""
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
ERRORS = """() => [...jupyterapp.shell.currentWidget.content.model.cells].flatMap((cell) =>
    cell.type === "code" ? cell.outputs.toJSON().filter((shown) => shown.output_type === "error") : [])"""
NOT_RUN = """() => [...jupyterapp.shell.currentWidget.content.model.cells].filter((cell) =>
    cell.type === "code" && cell.sharedModel.source.trim() && cell.executionCount === null).map((cell) => cell.id)"""
UNFOLD = "() => jupyterapp.commands.execute('notebook:expand-all-headings')"
FORMULAS = "() => document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) mjx-container').length"
# Text outside formulas and code that looks like TeX, and formulas that MathJax could not read.
RAW_TEX = r"""() => {
    const found = [...document.querySelectorAll("mjx-merror, .jp-NotebookPanel:not(.lm-mod-hidden) [data-mjx-error]")]
        .map((node) => node.textContent);
    const panel = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
    const rendered = panel.querySelectorAll(".jp-RenderedMarkdown, .jp-RenderedHTML, .jp-RenderedLatex");
    for (const output of rendered) {
        const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT, (node) =>
            node.parentElement.closest("mjx-container, code, pre, script, style")
                ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
        for (let node = walker.nextNode(); node; node = walker.nextNode())
            if (/\$|\\[a-zA-Z]+/.test(node.data)) found.push(node.data.slice(0, 80));
    }
    return found;
}"""
# What is wider than its place. MathJax's own hidden copy for screen readers is not seen.
TOO_WIDE = """() => {
    const panel = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
    const places = ".jp-RenderedMarkdown, .jp-RenderedHTMLCommon, .jp-OutputArea-output, .jp-OutputArea, " +
        ".cm-scroller, .jp-WindowedPanel-outer";
    return [...panel.querySelectorAll(places)]
        .filter((place) => place.clientWidth > 0 && place.scrollWidth > place.clientWidth + 1)
        .map((place) => [place.closest(".jp-Cell")?.getAttribute("data-windowed-list-index") ?? "",
                         place.className.slice(0, 60), place.scrollWidth, place.clientWidth,
                         place.textContent.slice(0, 60)]);
}"""
# The notebook in front, and how far below its upper edge the top of a cell stands, in pixels; null if it is not drawn.
WHERE = """(id) => {
    const current = jupyterapp.shell.currentWidget;
    const cell = current.content.widgets?.find((widget) => widget.model.id === id);
    if (!cell?.node.isConnected) return [current.context?.path, null];
    const edge = current.content.node.getBoundingClientRect().top;
    return [current.context.path, Math.round(cell.node.getBoundingClientRect().top - edge)];
}"""
WITH_LINKS = r"""() => [...jupyterapp.shell.currentWidget.content.model.cells].map((cell, number) =>
    cell.type === "markdown" && /\]\((?!https?:)/.test(cell.sharedModel.source) ? number : -1).filter((n) => n >= 0)"""
TO_A_CELL = r"""() => [...jupyterapp.shell.currentWidget.content.model.cells].findIndex((cell) =>
    cell.type === "markdown" && /\]\([^)]*#cell-id=/.test(cell.sharedModel.source))"""
TO_THE_TOP = "() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; return false; }"
A_PAGE_DOWN = """() => {
    const outer = document.querySelector(".jp-WindowedPanel-outer");
    const before = outer.scrollTop;
    outer.scrollTop += outer.clientHeight - 100;
    return outer.scrollTop === before;
}"""
SPOIL = r"""() => document.querySelector(".jp-NotebookPanel .jp-RenderedMarkdown").insertAdjacentHTML(
    "beforeend", '<div style="width: 2000px">a \\frac12 too wide</div>')"""
# The cell becomes the active one, too: JupyterLab scrolls to that by itself when a notebook comes to the front.
TO_CELL = """(number) => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = number;
    void notebook.scrollToItem(number, "center");
}"""
TO_THE_END = """() => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = notebook.widgets.length - 1;
    void notebook.scrollToItem(notebook.widgets.length - 1);
}"""
TO_THE_FRONT = """(path) => {
    for (const widget of jupyterapp.shell.widgets("main"))
        if (widget.context?.path === path) jupyterapp.shell.activateById(widget.id);
}"""
# Something above the cell in front becomes higher, as a formula does that is set late.
GROW = """(id) => {
    const cells = jupyterapp.shell.currentWidget.content.widgets;
    cells[cells.findIndex((cell) => cell.model.id === id) - 1].node.style.minHeight = "1500px";
}"""
CLOSE_ALL_BUT = """(path) => {
    for (const widget of [...jupyterapp.shell.widgets("main")])
        if (widget.context?.path !== path) widget.dispose();  // without asking whether to save
}"""


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The address of a JupyterLab over a working copy, set up as lab.py does it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("class room")
    working_copy.update(copy=folder)
    words = [*jupyterlab(folder)[:-1], "--no-browser", f"--port={port}", "--IdentityProvider.token="]
    words += ["--LabApp.expose_app_in_browser=True"]
    own = {"PYTHONPATH": str(ROOT), "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".workspaces")}
    server = subprocess.Popen([sys.executable, *words], env=environment() | own, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api", server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address, server):
    for _ in range(600):
        try:
            return urllib.request.urlopen(address).close()
        except OSError:
            assert server.poll() is None, "JupyterLab ended before it could be asked"
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not answer at {address}")


def opened(page, lab, name):
    """Open a notebook, alone, and wait until it can be run; return its path in JupyterLab."""
    page.goto(f"{lab}/lab/workspaces/test/tree/{name}?reset", timeout=PATIENCE)
    page.wait_for_selector(".jp-NotebookPanel .jp-MarkdownOutput h1", timeout=PATIENCE)
    return page.evaluate(READY)


def settled(page):
    """Wait until MathJax has nothing more to do."""
    before = -1
    while before != (now := page.evaluate(FORMULAS)):
        before = now
        page.wait_for_timeout(200)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_to_its_end_and_fits_the_projector(lab, open_page, name):
    page = open_page(viewport={**PROJECTOR, "height": 2400})  # as wide as a projector, and high, to see more at once
    opened(page, lab, name)
    page.evaluate(UNFOLD)
    if not absent_frameworks(read(NOTEBOOKS / name)):  # without them it is looked at as it is stored, and not run
        page.evaluate(RUN_ALL)
        assert page.evaluate(ERRORS) == []
        assert page.evaluate(NOT_RUN) == []
    raw, wide = [], []
    at_the_end = page.evaluate(TO_THE_TOP)
    while not at_the_end:  # JupyterLab draws the cells in view
        settled(page)
        raw += page.evaluate(RAW_TEX)
        wide += page.evaluate(TOO_WIDE)
        at_the_end = page.evaluate(A_PAGE_DOWN)
    assert raw == []
    assert wide == []
    assert asked_elsewhere(page) == []
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.context.close()


def test_what_is_too_wide_and_raw_tex_are_noticed(lab, open_page):
    page = open_page()
    opened(page, lab, NAMES[0])
    settled(page)
    assert page.evaluate(TOO_WIDE) == page.evaluate(RAW_TEX) == []
    page.evaluate(SPOIL)
    assert len(page.evaluate(TOO_WIDE)) >= 1
    assert page.evaluate(RAW_TEX) == ["a \\frac12 too wide"]
    page.context.close()


def first_links():
    """By notebook, the places that its links lead to and no earlier notebook's do, so that each is visited once."""
    found = {}
    for name in NAMES:
        cells = [cell.source for cell in read(NOTEBOOKS / name).cells if cell.cell_type == "markdown"]
        links = [link.partition("#") for source in cells for link in LINK.findall(source) if "://" not in link]
        places = {
            (posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name, cell)
            for path, _, cell in links
        }
        notebooks = {(path, cell.removeprefix("cell-id=")) for path, cell in places if path.endswith(".ipynb")}
        found[name] = notebooks.difference(*found.values())
    return found


FIRST_LINKS = first_links()


@pytest.mark.parametrize("name", [name for name in NAMES if FIRST_LINKS[name]])
def test_its_links_land(lab, open_page, name):
    """Each place is visited twice: while its notebook is closed, and while it is open and scrolled to its end."""
    places = FIRST_LINKS[name].copy()
    page = open_page()
    source = opened(page, lab, name)
    page.evaluate(UNFOLD)
    settled(page)
    for number in page.evaluate(WITH_LINKS):
        page.evaluate(TO_CELL, number)
        anchors = page.locator(CELL.format(number)).locator("a:not(.jp-InternalAnchorLink)")
        anchors.first.wait_for(timeout=PATIENCE)
        for place in range(anchors.count()):
            target = target_of(anchors.nth(place).get_attribute("href"), lab, source)
            if target not in places:
                continue
            places.remove(target)
            page.evaluate(CLOSE_ALL_BUT, source)
            for _ in ("closed", "open"):
                anchors.nth(place).click(timeout=PATIENCE)
                landed(page, target)
                page.mouse.wheel(0, 1)  # the reader moves on, and the target is no longer held
                page.evaluate(TO_THE_END)
                page.evaluate(TO_THE_FRONT, source)
                page.evaluate(TO_CELL, number)
    assert places == set()
    assert asked_elsewhere(page) == []
    page.context.close()


def test_the_target_of_a_link_is_held_until_the_reader_moves_on(lab, open_page):
    page = open_page()
    source = opened(page, lab, NAMES[0])
    page.evaluate(UNFOLD)
    settled(page)
    number = page.evaluate(TO_A_CELL)
    page.evaluate(TO_CELL, number)
    link = page.locator(CELL.format(number)).locator("a[href*='cell-id']").first
    target = target_of(link.get_attribute("href", timeout=PATIENCE), lab, source)
    link.click(timeout=PATIENCE)
    landed(page, target)
    page.evaluate(GROW, target[1])
    landed(page, target)
    page.mouse.move(*[side / 2 for side in PROJECTOR.values()])
    page.mouse.wheel(0, -1000)
    page.wait_for_timeout(1000)
    assert page.evaluate(WHERE, target[1])[1] not in range(300)
    page.context.close()


def target_of(link, lab, source):
    """(path, cell or "") in JupyterLab of a link as the page has it; None if it leads out of the notebooks."""
    parts = urllib.parse.urlsplit(link)
    path = urllib.parse.unquote(parts.path).removeprefix("/files/") or source
    if (parts.scheme and not link.startswith(lab)) or not path.endswith(".ipynb"):
        return None
    return path, urllib.parse.unquote(parts.fragment).removeprefix("cell-id=")


def landed(page, target):
    """The notebook is in front, and its cell in the upper half of the page: now, and when all formulas are set."""
    path, cell = target
    where = []
    calm = 0
    for _ in range(400):
        page.wait_for_timeout(100)
        where = page.evaluate(WHERE, cell)
        there = where[0] == path and (not cell or (where[1] is not None and -10 < where[1] < 300))
        calm = calm + 1 if there else 0
        if calm == 4:
            return
    raise AssertionError(f"the link to {target} leads to {where}")
