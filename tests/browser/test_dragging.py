"""The figure that is dragged: its numbers are mathlib's, its words are its numbers, and it answers to hand and key.

Asked in a real browser, because the formulas are written a second time there.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from drag_examples import START, L, Q, figure

from mathlib import fomaml_gradient, inner_loop, maml_gradient, meta_loss


@pytest.fixture(scope="module")
def opened(open_page, tmp_path_factory):
    """A function that opens a page with the figures given, from a file."""

    def open_figures(*figures, width=900, height=720, body="", **options):
        path = Path(tmp_path_factory.mktemp("page"), "page.html")
        head = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        )
        parts = "\n<hr>\n".join(shown._repr_html_() for shown in figures)
        path.write_text(f'{head}<title>Drag</title><body style="font-family: sans-serif; {body}">{parts}', "utf-8")
        page = open_page(viewport={"width": width, "height": height}, **options)
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelector('.drag-theta').drag?.now()")
        settle(page)
        return page

    return open_figures


def wrong(page):
    """What the page complained of, and whatever it asked for but itself."""
    return page.complaints + [address for address in page.asked if address != page.url]


@pytest.fixture(scope="module")
def page(opened):
    return opened(figure(*START))


def settle(page):
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def now(page, number=0):
    return page.evaluate(f"document.querySelectorAll('.drag-theta')[{number}].drag.now()")


def put(page, theta, alpha, K):
    page.evaluate("([...values]) => document.querySelector('.drag-theta').drag.set(...values)", [list(theta), alpha, K])


def said(page):
    return page.locator(".words").first.inner_text().translate({0xA0: " ", 0x2060: ""})  # no-break space, word joiner


def random_states(n, largest=0.12):
    rng = np.random.default_rng(11)
    for _ in range(n):
        theta = rng.uniform([-1.6, -0.2], [1.2, 1.8])
        yield theta, float(rng.uniform(0, largest)), int(rng.integers(0, 9))


def adjoints_by_matrices(path, alpha):
    """v_i as the product of the factors after step i, as matrices, with the gradient at the end."""
    v = [Q.gradient(path[-1])]
    product = np.eye(2)
    for theta in reversed(path[:-1]):
        product = (np.eye(2) - alpha * L.hessian(theta)) @ product
        v.insert(0, product @ v[-1])
    return np.array(v)


def by_mathlib(theta, alpha, K):
    losses = [L] * K
    path = inner_loop(losses, theta, alpha)
    g = maml_gradient(losses, Q, theta, alpha)
    v = fomaml_gradient(losses, Q, theta, alpha)
    lengths = [np.linalg.norm(g), np.linalg.norm(v)]
    unit_g, unit_v = g / lengths[0], v / lengths[1]
    return {
        "path": path,
        "adjoints": adjoints_by_matrices(path, alpha),
        "maml": g,
        "fomaml": v,
        "lengths": lengths,
        # Kahan's angle, exact at 0° and 180° too; the page takes another formula.
        "angle": np.degrees(2 * np.arctan2(np.linalg.norm(unit_g - unit_v), np.linalg.norm(unit_g + unit_v))),
        "metaLoss": meta_loss(losses, Q, theta, alpha),
        "afterMaml": meta_loss(losses, Q, theta - 0.1 * unit_g, alpha),
        "afterFomaml": meta_loss(losses, Q, theta - 0.1 * unit_v, alpha),
    }


def test_its_numbers_are_mathlibs_on_250_random_states(page):
    states = list(random_states(250))
    asked = [[theta.tolist(), alpha, K] for theta, alpha, K in states]
    answers = page.evaluate(
        "(states) => states.map((s) => document.querySelector('.drag-theta').drag.state(...s))", asked
    )
    for state, answer in zip(states, answers, strict=True):
        for name, right in by_mathlib(*state).items():
            right = np.array(right)
            # A vector's error in units of its length; an angle's in degrees, because near 0° digits are lost by both.
            scale = 180 if name == "angle" else np.linalg.norm(right)
            assert np.linalg.norm(np.array(answer[name]) - right) <= 1e-9 * scale, (name, state)
        assert answer["ranAway"] == -1


def test_its_words_are_its_numbers(page):
    for theta, alpha, K in random_states(40):
        put(page, theta, alpha, K)
        right = by_mathlib(theta, alpha, K)
        text = said(page)
        found = re.fullmatch(
            r"MAML and FOMAML: (\d+)° apart\.( FOMAML’s arrow leads uphill, at first\.)?"
            r" Lengths of the gradients: (\S+) and (\S+)\.( The longest arrow is drawn shortened\.)?"
            r" M is (\S+) here\. A step of 0\.1 along MAML’s arrow (lowers|raises|leaves) it (?:to|at) (\S+),"
            r" one along FOMAML’s (lowers|raises|leaves) it (?:to|at) (\S+)\.",
            text,
        )
        assert found, text
        angle, uphill, g, v, shortened, M, verb_g, after_g, verb_v, after_v = found.groups()
        assert abs(float(angle) - right["angle"]) <= 0.5 + 1e-6
        assert bool(uphill) == (right["maml"] @ right["fomaml"] < 0)
        assert bool(shortened) == (max(right["lengths"]) > 1.5)
        printed = [float(word.replace("−", "-")) for word in (g, v, M, after_g, after_v)]
        np.testing.assert_allclose(
            printed, [*right["lengths"], right["metaLoss"], right["afterMaml"], right["afterFomaml"]], atol=5.1e-4
        )
        for verb, after in ((verb_g, printed[3]), (verb_v, printed[4])):
            assert verb == ("leaves" if after == printed[2] else "lowers" if after < printed[2] else "raises")


def test_the_still_pictures_sentence_and_the_first_words_hold_the_same_numbers(opened):
    made = figure(*START)
    text = said(opened(made))
    sentence = made.still.sentence
    assert re.findall(r"[\d.]*\d", sentence.partition("MAML and")[2]) == re.findall(r"[\d.]*\d", text)


def contours(page, alpha, K, columns=72, rows=54):
    """Levels, middles of the pieces, and how far off M is there."""
    asked = f"document.querySelector('.drag-theta').drag.contours({alpha}, {K}, {columns}, {rows})"
    pieces = np.array(page.evaluate(asked))
    middles = (pieces[:, 1:3] + pieces[:, 3:5]) / 2
    heights = np.array([meta_loss([L] * K, Q, point, alpha) for point in middles])
    return pieces[:, 0], middles, np.abs(heights - pieces[:, 0])


@pytest.mark.parametrize(("alpha", "K"), [(0.05, 3), (0.1, 5), (0.12, 8), (0.0, 0)])
def test_its_contours_lie_at_their_level(page, alpha, K):
    levels, middles, off = contours(page, alpha, K)
    assert set(np.round(np.sqrt(2 * levels) / 0.25, 9)) <= set(range(1, 9))
    # To first order, how far the true contour is away, in cells of the grid; one cell is 7 pixels.
    slopes = [np.linalg.norm(maml_gradient([L] * K, Q, point, alpha)) for point in middles]
    cells = off / slopes / (3.2 / 72)
    assert np.median(cells) < 0.01
    assert np.quantile(cells, 0.99) < 0.5
    # Linear interpolation: half as wide a grid, a quarter of the error.
    *_, finer = contours(page, alpha, K, 144, 108)
    assert 3 < np.median(off) / np.median(finer) < 5
    put(page, START[0], alpha, K)
    assert page.locator("path.contours").get_attribute("d").count("M") == len(levels)


def test_nothing_is_drawn_where_the_grid_is_too_coarse(page):
    levels, _, off = contours(page, 0.18, 8)
    assert len(levels) > 100
    assert np.isfinite(off).all()


def knob(page, number=0):
    box = page.locator(".knob").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_mouse_drags_the_start_and_it_stays_inside_the_picture(page):
    put(page, *START)
    x, y = knob(page)
    page.mouse.move(x + 5, y - 4)
    page.mouse.down()
    page.mouse.move(x + 65, y + 56, steps=5)
    settle(page)
    moved = now(page)["theta"]
    assert moved[0] > -0.8
    assert moved[1] < 1.3
    np.testing.assert_allclose(knob(page), (x + 60, y + 60), atol=0.6)  # it is held where it was gripped
    page.mouse.move(x - 900, y + 2000, steps=3)
    page.mouse.up()
    settle(page)
    assert now(page)["theta"] == [-1.6, -0.2]
    page.mouse.move(x, y)
    settle(page)
    assert now(page)["theta"] == [-1.6, -0.2]


def test_a_click_beside_it_brings_it_there(page):
    put(page, *START)
    x, y = knob(page)
    page.mouse.click(x + 100, y + 30)
    settle(page)
    np.testing.assert_allclose(knob(page), (x + 100, y + 30), atol=0.6)


def test_keys_move_it_and_the_focus_is_seen(page):
    put(page, *START)
    page.locator(".show").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")  # adjoints, K, α, θ₀
    assert page.locator(".ring").evaluate("(ring) => getComputedStyle(ring).visibility") == "visible"
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    settle(page)
    np.testing.assert_allclose(now(page)["theta"], [-1.05, 1.3], atol=1e-12)
    handle = page.get_by_role("slider", name="start θ₀")
    assert handle.get_attribute("aria-valuetext") == "x = −1.05, y = 1.30"
    assert page.evaluate("scrollY") == 0


def test_sliders_have_names_and_move_alpha_and_k(page):
    put(page, *START)
    page.get_by_role("slider", name="step size α").press("ArrowRight")
    page.get_by_role("slider", name="inner steps K").press("ArrowRight")
    settle(page)
    assert (now(page)["alpha"], now(page)["K"]) == (0.055, 4)
    assert "α = 0.055" in page.locator(".controls").inner_text()
    assert "K = 4" in page.locator(".controls").inner_text()


def test_adjoints_are_drawn_and_said_on_demand(page):
    put(page, *START)
    box = page.get_by_role("checkbox", name="adjoints")
    box.check()
    settle(page)
    assert page.locator(".adjoints .shaft").count() == 3
    sizes = np.linalg.norm(adjoints_by_matrices(inner_loop([L] * 3, START[0], 0.05), 0.05), axis=1)
    listed = ", ".join(f"|v{'₀₁₂₃'[i]}| = {sizes[i]:.3f}" for i in (3, 2, 1, 0))
    assert said(page).endswith(f"Adjoints, from the end back to the start: {listed}.")
    page.locator(".handle").press("ArrowDown")
    settle(page)
    for name in ("MAML", "FOMAML"):  # the arrows at the start have gone with it, beside the thin ones of their kind
        shaft = page.locator(f"g:has(> .name:text-is('{name}')) .shaft").get_attribute("d")
        start = re.match(r"M(\S+) ([^L]+)L", shaft).groups()
        held = page.locator(".handle").get_attribute("transform")
        assert held == f"translate({start[0]} {start[1]})"
    box.uncheck()
    settle(page)
    assert page.locator(".adjoints .shaft").count() == 0


def test_a_screen_reader_hears_the_words_when_the_start_rests(page):
    put(page, *START)
    page.wait_for_timeout(600)
    page.locator(".handle").press("ArrowDown")
    settle(page)
    before = page.locator(".live").inner_text()
    page.wait_for_timeout(600)
    heard = page.locator(".live").inner_text()
    assert before != heard
    assert " ".join(heard.split()) == " ".join(said(page).split())
    assert "° apart" in page.locator("svg").get_attribute("aria-label")


def test_a_loop_that_runs_away_is_told_in_words(page):
    put(page, [-1.6, -0.2], 0.25, 8)
    assert "the inner loop runs away" in said(page)
    assert page.locator(".maml .shaft").count() == 0
    html = page.evaluate("document.querySelector('.drag-theta').shadowRoot.innerHTML")
    assert re.findall(r"NaN|Infinity|undefined", html) == []
    assert wrong(page) == []


@pytest.mark.parametrize(("alpha", "K"), [(0.0, 5), (0.1, 0)])
def test_without_a_step_both_agree(page, alpha, K):
    put(page, START[0], alpha, K)
    assert said(page).startswith("MAML and FOMAML: 0° apart.")


def test_a_start_at_the_minimum_without_steps_has_no_angle(page):
    put(page, [0, 1], 0.1, 0)
    assert "no angle, one gradient is 0" in said(page)
    assert wrong(page) == []


def test_a_finger_drags_it_on_a_narrow_screen_and_nothing_sticks_out(opened):
    page = opened(figure(*START), width=390, height=800, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    x, y = knob(page)
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})

    touch("touchStart", (x, y))
    for i in range(1, 6):
        touch("touchMove", (x + 5 * i, y + 12 * i))
    touch("touchEnd")
    settle(page)
    np.testing.assert_allclose(knob(page), (x + 25, y + 60), atol=1)  # mostly downwards, as a page scrolls
    page.wait_for_timeout(600)  # at once after a drag, a tap is at times no click to Chromium
    page.touchscreen.tap(x + 120, y - 10)
    page.wait_for_timeout(600)
    np.testing.assert_allclose(knob(page), (x + 120, y - 10), atol=1)
    assert wrong(page) == []


def test_two_figures_on_a_page_leave_each_other_alone(opened):
    page = opened(figure(*START), figure(np.array([-1.0, 1.5]), 0.1, 5, adjoints=True))
    settle(page)
    page.locator(".handle").nth(1).press("ArrowRight")
    settle(page)
    assert now(page)["theta"] == [-1, 1.5]
    assert now(page, 1)["theta"] == [-0.95, 1.5]
    assert (now(page)["alpha"], now(page, 1)["K"]) == (0.05, 5)
    assert wrong(page) == []


def test_it_fits_a_projector_with_text_that_is_large_enough(opened):
    page = opened(figure(*START, adjoints=True), width=1280)
    assert page.locator(".drag-theta").bounding_box()["height"] <= 560
    sizes = page.evaluate(
        """() => [...document.querySelector('.drag-theta').shadowRoot.querySelectorAll('text, label, p, b, span')]
        .map((element) => parseFloat(getComputedStyle(element).fontSize))"""
    )
    assert min(sizes) >= 16


def contrast(one, other):
    """WCAG 2's ratio of two colours, given as (red, green, blue) up to 255."""

    def luminance(colour):
        parts = np.array(colour) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("ink", "paper"), [("#222222", "#ffffff"), ("#ffffff", "#111111")])
def test_names_and_lines_stand_out_in_both_themes(opened, ink, paper):
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    page = opened(figure(*START), body=f"color: {ink}; background: {paper}; --jp-layout-color0: {paper}")
    ground = tuple(int(paper[i : i + 2], 16) for i in (1, 3, 5))

    def colour(selector, part):
        # Chromium gives a mixed colour as fractions of 1, any other as numbers up to 255.
        text = page.locator(selector).first.evaluate(f"(element) => getComputedStyle(element).{part}")
        numbers = np.array([float(number) for number in re.findall(r"[\d.]+", text.replace("srgb", ""))[:3]])
        return 255 * numbers if "srgb" in text else numbers

    for who in (".maml", ".fomaml"):
        assert contrast(colour(f"{who} .name", "fill"), ground) >= 4.5
        assert contrast(colour(f"{who} .head", "fill"), ground) >= 3
    assert contrast(colour(".lowest", "fill"), ground) >= 4.5


def test_the_still_picture_gives_way_to_the_moving_one_and_nothing_else_does(opened, tmp_path):
    page = opened(figure(*START))
    html = figure(*START)._repr_html_()
    built = (
        '<div id="before"><p>kept</p></div><div id="still"><div><img alt="s"></div></div>'
        f'<div id="caption"><em>1</em></div><div id="live"><div>{html}</div></div><div id="after"><p>kept</p></div>'
    )
    path = tmp_path / "cell.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{built}", encoding="utf-8")
    page = page.context.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelector('.drag-theta').drag")
    shown = {name: page.locator(f"#{name}").is_visible() for name in ("before", "still", "caption", "live", "after")}
    assert shown == {"before": True, "still": False, "caption": False, "live": True, "after": True}
