"""What the reading site costs its reader, measured in Chromium on this machine; stored for the page "Measured".

    python3 lab.py run tools/measure_site.py frames     work for each move of the figure that is dragged
    python3 lab.py run tools/measure_site.py newcomer   from the front page to each question's answer, on a phone
    python3 lab.py run tools/measure_site.py together   ten readers at once, each from another page to another answer
    python3 lab.py run tools/measure_site.py weight     bytes, requests and time to the first formula
    … weight NAME=FOLDER/page.html                      the same of a page that was built elsewhere, kept under its name

Needs the site, as `python3 lab.py site --build` builds it, and what `python3 lab.py browser` installs. Nothing here is
a test: times depend on the machine.
"""

import asyncio
import json
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "site"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))
import loopback
import pages

from conftest import CHROMIUM, OPTIONS

ROOT = pages.ROOT
HTML = ROOT / "build" / "site" / "html"
STORED = ROOT / "site" / "measured.json"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
KEYBOARD = 336  # CSS pixels that a phone's keyboard covers; headless Chromium shows none
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


# ---- the figure that is dragged

MOVES = 200
K, ALPHA = 8, 0.1


async def frames(browser, address):
    """Processor time of the page's main thread for each move of the pointer: script, style, layout, paint's record."""
    rows = []
    for name, width, slower in (("desk", 1280, 1), ("phone", 390, 1), ("phone, processor at a quarter", 390, 4)):
        page = await browser.new_page(viewport={"width": width, "height": 844})
        await page.goto(f"{address}/index.html")
        await page.wait_for_function("document.querySelector('.drag-theta').drag?.now()")
        await page.locator(".drag-theta").evaluate("(e) => scrollTo(0, e.getBoundingClientRect().top + scrollY - 80)")
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        for what in ("θ₀", "α, every contour anew"):
            await page.evaluate(f"document.querySelector('.drag-theta').drag.set([-1, 1.5], {ALPHA}, {K})")
            box = await page.locator(".knob" if what == "θ₀" else "input.alpha").bounding_box()
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            await page.mouse.move(x, y)
            await page.mouse.down()
            work, step = [], 2 if what == "θ₀" else box["width"] / 36  # of the slider, one of its own steps
            for i in range(MOVES):
                before = await busy(session)
                along = step * (10 - abs(10 - i % 20))  # there and back
                await page.mouse.move(x + along, y + along / 2 if what == "θ₀" else y)
                await page.evaluate(FRAME)
                work.append(1000 * (await busy(session) - before))
            await page.mouse.up()
            work = sorted(work[10:])  # the first few compile
            rows.append([name, what, statistics.median(work), work[int(0.95 * len(work))], work[-1]])
            print(f"{name:32}{what:24}" + "".join(f"{ms:8.1f}" for ms in rows[-1][2:]), "ms", flush=True)
        await page.context.close()
    return {"K": K, "moves": MOVES - 10, "rows": rows}


async def busy(session):
    """Seconds that the page's main thread has worked."""
    told = await session.send("Performance.getMetrics")
    return next(entry["value"] for entry in told["metrics"] if entry["name"] == "TaskDuration")


# ---- readers

COMMON = re.compile(
    "a|about|an|and|any|are|as|at|be|by|can|come|do|does|for|from|get|how|i|if|in|into|is|it|its|just|me|mean|my|not|of|on"
    "|one|only|or|same|should|so|some|that|the|them|then|thing|this|to|was|what|when|where|which|who|why|will|with",
    re.IGNORECASE,
)


def words_of(question):
    """The words of a question that somebody would type: its own, in its order, without the commonest."""
    found = re.findall(r"[A-Za-z][\w'-]+", re.sub(r"\$[^$]*\$|`|\*", " ", question))
    letters = re.findall(r"\\(nabla|theta|alpha)", question)  # who has no ∇ on the keyboard spells it
    return [word for word in found if not COMMON.fullmatch(word)] + list(dict.fromkeys(letters))


def questions():
    """(name, words to type) of each question that leads somewhere; the others' notebook is still to come."""
    collection = pages.Collection()
    first = collection.named[pages.FIRST]
    for _, group in collection.questions:
        for name, question, _, where in group:
            if pages.LINK.search(collection.linked(first, where)):
                yield name, words_of(question)


# How far the place is that the address names: whether its heading, or its first line, is in sight.
IN_SIGHT = """(height) => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const top = (place?.querySelector("h1, h2, h3, summary") ?? place)?.getBoundingClientRect().top;
  return top !== undefined && top >= 0 && top < height - 60;
}"""


async def ask(page, name, words, taps=0):
    """From the front page to the answer: type words until few rows are left, tap the row. Returns what it took."""
    begun = time.monotonic()
    if await page.locator("#find").count() == 0:
        await page.locator("a.home").tap()
        taps += 1
    await page.get_by_role("link", name="Find your question", exact=True).tap()
    taps += 1
    focused = await page.evaluate("document.activeElement.id")
    if focused != "find":
        await page.locator("#find").tap()
        taps += 1
    row = page.locator(f".question[id={name.lower()}]")
    for number in (2, 3):
        typed = " ".join(words[:number])
        await page.locator("#find").fill("")
        await page.keyboard.type(typed, delay=5)
        shown = await page.locator(".question:visible").evaluate_all("(all) => all.map((e) => e.id)")
        box = await row.locator(".ask a").bounding_box() if name.lower() in shown else {"y": -1}
        in_sight = 0 <= box["y"] <= 844 - KEYBOARD - 24
        if in_sight or number >= len(words):
            break
    took = {"question": name, "typed": typed, "rows": len(shown)}
    if name.lower() not in shown:
        return {**took, "failed": "its row is not among them"}
    took["place"] = shown.index(name.lower()) + 1
    took["scroll"] = not in_sight
    await row.locator(".ask a").tap()
    taps += 1
    await page.wait_for_function(IN_SIGHT, arg=844, timeout=10_000)
    took["seconds"] = round(time.monotonic() - begun, 2)
    await page.wait_for_load_state("load")
    await page.evaluate(FRAME)
    took["stays"] = await page.evaluate(IN_SIGHT, 844)
    return {**took, "taps": taps}


async def newcomer(browser, address):
    """Every question, one after the other, each time by somebody who comes for the first time."""
    rows = []
    for name, words in questions():
        context = await browser.new_context(**PHONE)
        page = await context.new_page()
        await page.goto(f"{address}/index.html")
        rows.append(await ask(page, name, words))
        print(rows[-1], flush=True)
        await context.close()
    return rows


async def together(browser, address, number=10):
    """Readers who begin at once, each on another page and with another question."""
    asked = list(questions())
    asked = asked[:: max(1, len(asked) // number)][:number]
    begin = sorted(path.name for path in HTML.glob("[01]*.html"))

    async def reader(i):
        context = await browser.new_context(**PHONE)
        page = await context.new_page()
        begun = time.monotonic()
        await page.goto(f"{address}/{begin[i % len(begin)]}")
        opened = time.monotonic() - begun
        name, words = asked[i]
        row = {"from": begin[i % len(begin)], "opened": round(opened, 2), **await ask(page, name, words)}
        await context.close()
        return row

    rows = await asyncio.gather(*(reader(i) for i in range(len(asked))))
    for row in rows:
        print(row)
    return rows


# ---- weight

TIMES = 5
FIRST_FORMULA = """
new MutationObserver((_, observer) => {
  const formula = document.querySelector(".katex-html, mjx-container, .MathJax, .MathJax_SVG");
  if (!formula?.getBoundingClientRect().width) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.formulaAt = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""


async def weigh(browser, address):
    """Bytes and requests of one page, and the median time until its first formula is drawn, nothing cached."""
    times = []
    for _ in range(TIMES):
        context = await browser.new_context(viewport={"width": 390, "height": 844})
        page = await context.new_page()
        await page.add_init_script(FIRST_FORMULA)
        sizes, refused = {}, []  # there is no network here: what a page asks of other hosts fails, and is counted
        page.on("response", lambda answer, sizes=sizes: sizes.setdefault(answer.url, answer))
        page.on("requestfailed", lambda request, refused=refused: refused.append(request.url))
        await page.goto(address, wait_until="networkidle")
        await page.wait_for_function("window.formulaAt", timeout=60_000)
        times.append(await page.evaluate("window.formulaAt"))
        total = sum([len(await answer.body()) for answer in sizes.values() if answer.ok])
        await context.close()
    hosts = {re.match(r"\w+://[^/]*", url)[0] for url in [*sizes, *refused]}
    return {
        "bytes": total,
        "requests": len({*sizes, *refused}),
        "hosts": len(hosts),
        "formula_ms": round(statistics.median(times)),
        "times": [round(ms) for ms in times],
    }


async def weight(browser, address):
    found = {}
    for name in ("index.html", "05_unroll_k_steps.html"):
        found[name] = await weigh(browser, f"{address}/{name}")
        print(name, found[name], flush=True)
    return found


# ---- all of it


async def main(what, others):
    from playwright.async_api import async_playwright

    if not (HTML / "index.html").exists():
        sys.exit("measure_site: the site is not built; python3 lab.py site --build builds it")
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        if others:
            for other in others:
                name, _, place = other.partition("=")
                folder, _, page = place.rpartition("/")
                with loopback.served(Path(folder)) as address:
                    stored.setdefault("weight", {})[name] = await weigh(browser, f"{address}/{page}")
                print(name, stored["weight"][name])
        else:
            with loopback.served(HTML) as address:
                found = await MEASURES[what](browser, address)
            stored[what] = {**stored.get(what, {}), **found} if what == "weight" else found
        await browser.close()
    STORED.write_text(json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


MEASURES = {"frames": frames, "newcomer": newcomer, "together": together, "weight": weight}

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in MEASURES:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
