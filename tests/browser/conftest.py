"""A real browser: Playwright's Python package drives the system's Chromium. `python3 lab.py browser` brings the former.

Where either is missing these tests are skipped, and say what to install.
"""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# No sandbox, because containers run as root; nothing that the browser would fetch for itself.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROJECTOR = {"width": 1280, "height": 720}


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: python3 lab.py browser installs it"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; on Debian or Ubuntu: sudo apt install chromium")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def open_page(browser):
    """A function that opens a page; the addresses that it asks, and what it complains of, are in its two lists."""
    contexts = []

    def opened(severe=("error",), **options):
        context = browser.new_context(**{"viewport": PROJECTOR, **options})
        contexts.append(context)
        page = context.new_page()
        page.asked = []
        page.complaints = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("requestfailed", lambda request: page.complaints.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: page.complaints.extend([said.text] if said.type in severe else []))
        return page

    yield opened
    for context in contexts:
        context.close()


def asked_elsewhere(page):
    """The addresses on other hosts that a page asked."""
    own = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "file:", "data:", "blob:", "about:")
    return [address for address in page.asked if not address.startswith(own)]
