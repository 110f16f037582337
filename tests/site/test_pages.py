"""Every page, in both languages, at three widths, light and dark, as a browser shows it."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tfcourse.lecture import gallery
from tfcourse.lecture.topics import TOPICS

pytestmark = pytest.mark.site
ENGLISH = Path(__file__).parents[2] / "docs" / "en"
PAGES = sorted(p.relative_to(ENGLISH).with_suffix("").as_posix() for p in ENGLISH.rglob("*.md"))
LANGUAGES = {"en": "", "zh": "zh/"}
WIDTHS = {"phone": 360, "laptop": 1280, "projector": 1920}

OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll("article *")]
    .filter((one) => one.getBoundingClientRect().right > wide + 1)
    .map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`).slice(0, 5)
    .concat(["the page is too wide"]);
}"""
OUTSIDE = """() => [...document.querySelectorAll(".stage svg text")].filter((text) => {
  const [box, all] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
  return box.left < all.left - 1 || box.right > all.right + 1 || box.bottom > all.bottom + 1;
}).map((text) => text.textContent)"""
OVERLAPS = """() => [...document.querySelectorAll(".stage svg")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")]
    .map((t) => [t.textContent, t.getBoundingClientRect()]);
  return texts.flatMap(([a, p], i) => texts.slice(i + 1)
    .filter(([, q]) => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1
      && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3).map(([b]) => `${a} / ${b}`));
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_overflows_and_all_images_are_there(page, address, language, width, scheme):
    page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    page.emulate_media(color_scheme=scheme)
    for name in PAGES:
        page.goto(f"{address}{LANGUAGES[language]}{name}.html")
        assert page.evaluate(OVERFLOW) == [], name
        assert page.evaluate(OUTSIDE) == [], name
        assert page.evaluate(OVERLAPS) == [], name
        for image in page.locator(f"article img.only-{scheme}").all():
            image.scroll_into_view_if_needed()
            assert image.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
            assert len(image.get_attribute("alt")) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_switch_stays_on_the_page(page, address, language):
    other = {"en": "zh", "zh": "en"}[language]
    for name in PAGES[::7]:
        page.goto(f"{address}{LANGUAGES[language]}{name}.html")
        page.locator(".languages a").evaluate("(link) => link.click()")
        page.wait_for_url(f"{address}{LANGUAGES[other]}{name}.html")


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids = [], set()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.links += [given[key] for key in ("href", "src") if given.get(key)]
        if given.get("id"):
            self.ids.add(given["id"])


def test_every_link_leads_somewhere(html):
    read = {}
    for path in html.rglob("*.html"):
        read[path.resolve()] = Links()
        read[path.resolve()].feed(path.read_text("utf-8"))
    broken = []
    for path, parsed in read.items():
        for link in parsed.links:
            target, fragment = urldefrag(urljoin(path.as_uri(), link))
            if (
                target.startswith(("http", "mailto", "data"))
                or "/_build/html/search.html" in target
            ):
                continue
            target = unquote(target.partition("?")[0].partition("/_build/html/")[2])
            there = html.resolve() / target
            known = read[there].ids if there in read else {unquote(fragment)}
            if not there.exists() or (fragment and unquote(fragment) not in known):
                broken.append((path.name, link))
    assert not broken


def test_every_topic_has_a_page_and_every_figure_a_place(html):
    pages = {path.stem: path.read_text("utf-8") for path in (html / "topics").glob("*.html")}
    assert set(pages) == {name for part in TOPICS.values() for name in part}
    shown = "".join(pages.values())
    assert [one.name for one in gallery.figures() if f'id="{one.name}"' not in shown] == []


def test_a_first_load_is_small(page, address):
    sizes = []
    page.on("response", lambda came: sizes.append(len(came.body())))
    page.goto(f"{address}topics/softmax_layer.html", wait_until="load")
    assert sum(sizes) < 500_000  # bytes, before compression


@pytest.mark.parametrize("language", LANGUAGES)
def test_search_finds_a_word(page, address, language):
    word = {"en": "temperature", "zh": "学习率"}[language]
    page.goto(f"{address}{LANGUAGES[language]}search.html?q={word}")
    page.wait_for_selector("#search-results li")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, address, language, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    page.emulate_media(color_scheme=scheme)
    found = {}
    for name in PAGES:
        page.goto(f"{address}{LANGUAGES[language]}{name}.html")
        for violation in axe.Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                first = violation["nodes"][0]
                found.setdefault(
                    violation["id"], (name, first["html"][:200], first["failureSummary"])
                )
    assert not found
