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


IMAGES = """async (scheme) => {
  const wrong = [];
  for (const image of document.querySelectorAll(`article img.only-${scheme}`)) {
    image.loading = "eager";
    await image.decode().catch(() => wrong.push(image.src));
    if (!image.checkVisibility()) wrong.push(`${image.src} is not shown`);
    if (image.alt.length <= 20) wrong.push(`${image.src} has no alternative text`);
  }
  return wrong;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_overflows_and_all_images_are_there(page, address, language, name):
    page.goto(f"{address}{LANGUAGES[language]}{name}.html")
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(OVERFLOW) == [], width
        assert page.evaluate(OUTSIDE) == [], width
        assert page.evaluate(OVERLAPS) == [], width
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(IMAGES, scheme) == []


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


def serious(page, address, scheme, rules=None):
    """What axe finds on a page, but for what it takes for minor or moderate."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"])
        for one in axe.Axe().run(page, options=options).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(page, address, name):
    assert serious(page, f"{address}{name}.html", "light") == []


@pytest.mark.parametrize("name", [name for name in PAGES if name != "reference"])  # 14,000 elements
def test_axe_finds_nothing_serious_in_dark(page, address, name):
    assert serious(page, f"{address}{name}.html", "dark", ["color-contrast"]) == []


@pytest.mark.parametrize("name", [name for name in PAGES[::4] if name != "reference"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_chinese(page, address, name, scheme):
    assert serious(page, f"{address}zh/{name}.html", scheme) == []
