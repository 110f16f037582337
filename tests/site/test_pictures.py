"""The six pictures, operated by mouse, touch and keyboard; their numbers follow."""

import re

import pytest

pytestmark = pytest.mark.site
WHERE = {
    "descent": "quadratic_descent",
    "bowl": "normalized_inputs",
    "scales": "scales",
    "search": "grid_and_random",
    "softmax": "softmax_layer",
    "batchnorm": "batch_norm_formulas",
}


@pytest.fixture
def show(page, address):
    def opened(picture, state="", language=""):
        fragment = f"#{picture}:{state}" if state else ""
        page.goto("about:blank")
        page.goto(f"{address}{language}topics/{WHERE[picture]}.html{fragment}")
        return page.locator(f"#picture-{picture}")

    return opened


def number(picture, name):
    """The numbers in one of the sentences below a picture."""
    text = picture.locator(f"[data-number={name}]").inner_text().replace("−", "-")
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", text.partition(":")[2] or text)]


def slide(picture, key, *presses):
    control = picture.locator(f"input[name={key}]")
    control.focus()
    for press in presses:
        control.press(press)


def drag(page, dot, by):
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0], y + by[1], steps=4)
    page.mouse.up()


def test_descent_stands_still_in_float32_alone(show, page):
    picture = show("descent")
    assert number(picture, "float32") == [4.99999] and number(picture, "float64") == [5.0]
    drag(page, picture.locator(".handle"), (200, 0))
    assert picture.locator(".handle").get_attribute("aria-valuetext") != "w = 0.0"
    page.wait_for_function("location.hash.includes('w=')")
    slide(picture, "alpha", "End")
    assert "diverges" in picture.locator("[data-number=kind]").inner_text()
    picture.locator(".reset").click()
    assert number(picture, "float32") == [4.99999]


def test_descent_tells_the_kinds_of_learning_rate(show):
    for alpha, kind in {
        0.3: "straight",
        0.7: "jumps across",
        1: "for ever",
        1.1: "diverges",
    }.items():
        picture = show("descent", f"alpha={alpha}")
        assert kind in picture.locator("[data-number=kind]").inner_text()


def test_the_bowl_becomes_round_unless_inputs_correlate(show):
    picture = show("bowl")
    assert number(picture, "condition") == [16.0] and number(picture, "needed")[1] > 20
    picture.get_by_role("button", name="Normalize").press("Enter")
    assert number(picture, "condition") == [1.0] and number(picture, "needed")[1] <= 7
    assert number(show("bowl", "rho=0.9,normalized=1"), "condition") == [19.0]
    assert number(show("bowl", "rate=1.05"), "needed") == [0.01]  # never gets there


def test_scales_share_a_decade(show):
    picture = show("scales", "count=1000")
    assert number(picture, "linear")[-1] == pytest.approx(90, abs=4)
    assert number(picture, "log") == pytest.approx([25] * 4, abs=5)
    picture.locator("select").select_option("1")
    assert number(picture, "log") == pytest.approx([50] * 2, abs=5)
    before = number(picture, "log")
    picture.get_by_role("button", name="Draw again").click()
    assert number(picture, "log") != before


def test_random_wins_where_one_hyperparameter_matters(show, page):
    picture = show("search")
    assert number(picture, "wins")[0] > 60
    slide(picture, "matters", "End")
    assert number(picture, "wins")[0] < 60
    before = number(picture, "grid")
    drag(page, picture.locator(".handle"), (30, 30))
    assert number(picture, "grid") != before
    slide(picture, "points", "Home")
    assert picture.locator(".dot").count() == 8


def test_softmax_follows_z(show, page):
    picture = show("softmax")
    assert number(picture, "a") == [0.842, 0.042, 0.002, 0.114]
    assert number(picture, "gradient") == [-0.158, 0.042, 0.002, 0.114]
    drag(page, picture.locator(".handle").nth(0), (-150, 0))
    assert number(picture, "a")[0] < 0.5
    picture.locator(".row").nth(3).click(position={"x": 5, "y": 5})
    assert picture.locator("select").input_value() == "3"
    assert number(show("softmax", "temperature=10"), "a") == pytest.approx([0.25] * 4, abs=0.1)


def test_batch_norm_is_undone(show):
    picture = show("batchnorm", "mu=-4,sigma=3")
    assert number(picture, "tilde") == pytest.approx([0, 1], abs=0.01)
    picture.get_by_role("button", name="γ = σ, β = μ").click()
    assert number(picture, "tilde") == pytest.approx(number(picture, "z"), abs=0.011)
    before = number(picture, "z")
    picture.get_by_role("button", name="Another mini-batch").click()
    assert number(picture, "z") != before


@pytest.mark.parametrize("picture", WHERE)
def test_handles_move_by_keyboard_and_controls_have_names(show, page, picture):
    shown = show(picture)
    for control in shown.locator("input, select, button, .handle").all():
        assert control.evaluate(
            "(one) => one.labels?.[0]?.textContent || one.ariaLabel || one.textContent"
        )
    for dot in shown.locator(".handle").all():
        before = dot.get_attribute("aria-valuetext")
        dot.focus()
        page.keyboard.press("Shift+ArrowRight")
        assert dot.get_attribute("aria-valuetext") != before
        assert dot.evaluate("(one) => one === document.activeElement")


@pytest.mark.parametrize("picture", [name for name in WHERE if name not in ("scales", "batchnorm")])
def test_handles_move_by_touch(browser, address, picture):
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(f"{address}topics/{WHERE[picture]}.html")
    dot = page.locator(f"#picture-{picture} .handle").first
    dot.scroll_into_view_if_needed()
    before, box = dot.get_attribute("aria-valuetext"), dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 30, "y": y}]),
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert dot.get_attribute("aria-valuetext") != before
    context.close()


@pytest.mark.parametrize("picture", WHERE)
def test_the_address_brings_the_picture_back(show, page, picture):
    shown = show(picture)
    shown.locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.length > 1")
    numbers, fragment = shown.locator(".numbers").inner_text(), page.evaluate("location.hash")
    again = show(picture, fragment.partition(":")[2])
    assert again.locator(".numbers").inner_text() == numbers


def test_nonsense_in_the_address_is_left_alone(show):
    picture = show("descent", "alpha=99,steps=abc,nothing=1,w=1e9")
    assert picture.locator("input[name=alpha]").get_attribute("aria-valuetext") == "1.2"
    assert number(show("scales", "what=7"), "log")[0] == pytest.approx(50, abs=25)


@pytest.mark.parametrize("picture", WHERE)
def test_without_scripts_a_still_picture_is_shown(browser, address, picture):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}topics/{WHERE[picture]}.html")
    assert page.locator(f"#picture-{picture} noscript img").first.is_visible()
    context.close()


@pytest.mark.parametrize("picture", WHERE)
def test_chinese_pictures_speak_chinese(show, picture):
    shown = show(picture, language="zh/")
    words = shown.locator(".controls").inner_text() + shown.locator(".numbers").inner_text()
    assert re.search("[\u4e00-\u9fff]", words)
    assert not re.search(r"\b(learning|steps|minimum|share|class|draw|again|wins)\b", words, re.I)
