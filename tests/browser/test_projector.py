"""The lectures as slides, in a real browser: a class can read them, and no other host is asked."""

import re
import urllib.parse

import loopback
import pytest
import slides
from notebooks_as_data import LECTURES

DECKS = sorted(LECTURES.glob("*.ipynb"))
every_deck = pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)

# What is outside its slide, at most a few of each; and what a reader sees, without KaTeX's copy for screen readers.
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), outside = [], small = [];
  const skipped = e => e.closest("aside.notes, .katex-mathml") || (e.closest(".katex") && !e.matches(".katex, .base"));
  const dragged = [...slide.querySelectorAll(".drag-theta")].map(e => e.shadowRoot);
  for (const e of [slide, ...dragged].flatMap(part => [...part.querySelectorAll("*")])) {
    const box = e.getBoundingClientRect();
    if (skipped(e) || !box.width || !box.height) continue;
    if (box.left < 0 || box.top < 0 || box.right > 1280 || box.bottom > 720)
      outside.push(`${e.tagName} ${Math.round(box.right)} x ${Math.round(box.bottom)}`);
    if (e.matches("pre") && e.scrollWidth > e.clientWidth) outside.push(`code ${e.scrollWidth} wide`);
  }
  const shown = slide.cloneNode(true);
  shown.querySelectorAll("aside.notes, .katex-mathml, pre, code, script").forEach(e => e.remove());
  for (const part of [slide, ...dragged]) {
    const words = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const parent = words.currentNode.parentElement;
      if (!words.currentNode.data.trim() || parent.closest("aside.notes, .katex, .drag-theta, style")) continue;
      const drawn = parent.closest("svg")?.getScreenCTM().a ?? 1;  // in a drawing, type grows with it
      const size = parseFloat(getComputedStyle(parent).fontSize) * drawn;
      if (size < 23.99) small.push(`${size} px: ${words.currentNode.data.trim().slice(0, 20)}`);
    }
  }
  return { outside: outside.slice(0, 3), small: small.slice(0, 3), text: shown.textContent,
           errors: slide.querySelectorAll(".katex-error").length,
           hidden: slide.querySelectorAll(".fragment:not(.visible)").length };
}"""


@pytest.fixture(scope="session")
def decks(tmp_path_factory):
    """Both lectures, exported."""
    return slides.write(tmp_path_factory.mktemp("decks"))


@pytest.fixture
def walk(open_page, decks):
    """A function that opens a deck."""
    page = open_page()
    with loopback.served(decks[0].parent) as address:

        def opened(name, query=""):
            page.goto(f"{address}/{name}.html{query}")
            page.wait_for_function("window.Reveal && Reveal.isReady()")
            page.evaluate("document.fonts.ready.then(() => true)")
            return page

        yield opened
        page.context.close()


def raw_tex(text):
    """What a reader should see as a formula, and sees as TeX."""
    return re.findall(r"\\[a-zA-Z({\[]+|\$", text)


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


def test_the_key_s_opens_the_speakers_view_with_the_notes_of_the_slide(walk):
    page = walk("one_hour", "#/1")
    with page.expect_popup() as opening:
        page.keyboard.press("s")
    view = opening.value
    view.wait_for_function("document.body.innerText.includes('Say only what the arrows are')")
    view.close()


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


def centre(knob):
    """Where the knob stands, whatever the size of the ring that beckons around it."""
    box = knob.bounding_box()
    return [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]


@pytest.fixture(params=["one_hour", "second_hour"])
def dragging(walk, request):
    """The slide of a deck with the figure that is dragged, when the figure has drawn itself."""
    page = walk(request.param)
    page.number = page.evaluate("Reveal.getSlides().findIndex(slide => slide.querySelector('.drag-theta'))")
    page.evaluate(f"Reveal.slide({page.number})")
    page.wait_for_selector(".present .drag-theta .maml .shaft", state="attached")
    return page


def test_the_figure_answers_to_hand_and_key_and_the_deck_stays_on_its_slide(dragging):
    page = dragging
    page.set_viewport_size({"width": 1024, "height": 768})  # the slide is scaled: so must the pointer be
    figure = page.locator(".drag-theta")
    knob = figure.locator(".knob")
    x, y = centre(knob)
    said = [figure.locator(".words").inner_text()]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    page.wait_for_timeout(200)
    said.append(figure.locator(".words").inner_text())
    assert centre(knob) == pytest.approx([x + 60, y + 40], abs=1)
    page.keyboard.press("ArrowRight")  # the drag has given it the focus
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_timeout(200)
    said.append(figure.locator(".words").inner_text())
    figure.get_by_role("slider", name="inner steps K").press("End")
    figure.get_by_role("checkbox", name="adjoints").press("Space")
    page.wait_for_timeout(200)
    said.append(figure.locator(".words").inner_text())
    assert len(set(said)) == 4
    assert figure.locator("span.K").inner_text() == "8"
    assert "|v₈|" in said[-1]
    assert page.evaluate("Reveal.getIndices().h") == page.number
    assert not figure.evaluate("e => e.parentElement.previousElementSibling.checkVisibility()")  # the still picture
    figure.locator(".handle").press("Space")  # but this key goes on
    assert page.evaluate("Reveal.getIndices().h") == page.number + 1
    assert page.complaints == []


def test_the_longest_words_of_the_figure_fit_its_slide(dragging):
    page = dragging
    page.evaluate("document.querySelector('.drag-theta').drag.set([-1.6, 1.7], 0.11, 8)")
    page.locator(".drag-theta .show").check()
    page.wait_for_timeout(200)
    said = page.locator(".drag-theta .words").inner_text()
    assert all(part in said for part in ("uphill", "shortened", "|v₈|"))
    seen = page.evaluate(LOOK)
    assert [*seen["outside"], *seen["small"]] == []
