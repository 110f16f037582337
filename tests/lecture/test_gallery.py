"""The registry, and how a figure becomes a file."""

import base64
import inspect
import re
import subprocess
import sys
from io import BytesIO
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont
from matplotlib import rcParams
from matplotlib.colors import to_rgb
from PIL import Image

from tfcourse.lecture import gallery
from tfcourse.lecture.style import BOOK, Style
from tfcourse.lecture.svg import finished


def line(at=0.5, words="$x^2$"):
    """A line and a word, 3 by 2 inches."""
    figure = Style(width=3).page(2)
    axes = figure.subplots()
    axes.plot([0, 1], [at, at])
    axes.set(title=words, ylim=(0, 1))
    return figure


def test_names_parts_and_captions_need_neither_matplotlib_nor_tensorflow():
    code = (
        "import sys; from tfcourse.lecture import gallery;"
        "[(e.name, e.part, e.caption) for e in gallery.figures()];"
        "print(*{'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "\n", done


def test_every_figure_has_a_name_of_its_own_a_caption_and_a_description():
    names = [entry.name for entry in gallery.figures()]
    assert len(set(names)) == len(names)
    for entry in gallery.figures():
        assert entry.part in gallery.PARTS
        assert entry.caption.endswith(".") and len(entry.caption) < 220, entry.name
        assert 80 < len(entry.alternative) < 600, entry.name


def of_topics():
    return [entry for entry in gallery.figures() if hasattr(entry.function, "__name__")]


def test_a_figure_is_a_function_of_its_name_that_takes_a_seed_and_a_style():
    for entry in of_topics():
        assert entry.function.__name__ == entry.name
        given = inspect.signature(entry.function).parameters
        assert given["seed"].default == 0 and given["style"].default == BOOK
        assert all(one.default is not one.empty for one in given.values()), entry.name


def test_caption_and_description_are_in_chinese_too():
    for entry in of_topics():
        caption, description = entry.text("zh")
        assert caption.endswith("。") and description.endswith("。"), entry.name
        assert sum("\u4e00" <= letter <= "\u9fff" for letter in caption + description) > 40


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'beta_scale'"):
        gallery.find(["beta_scales"])


def test_what_is_no_style_and_what_is_no_figure_are_told():
    from tfcourse import figures

    with pytest.raises(TypeError, match=r"must be a tfc.figures.Style, such as .*, got .slide."):
        figures.softmax_layer((1, 2), style="slide")
    with pytest.raises(ValueError, match="z must be at most 700, .* got 1000"):
        figures.softmax_layer((1000, -1000))
    with pytest.raises(ValueError, match="must hold at least one example"):
        figures.softmax_layer(())
    assert "softmax_layer" in dir(figures)


def test_a_pdf_is_the_same_file_again(tmp_path):
    files = [tmp_path / name for name in ("a.pdf", "b.pdf")]
    for file in files:
        gallery.draw("uniform_picks", file)
    one, other = (file.read_bytes() for file in files)
    assert one == other and len(one) > 5000
    assert b"CreationDate" not in one  # within a second, two would be the same even so


def test_png_has_200_dots_an_inch_and_says_what_it_shows(tmp_path):
    file = tmp_path / "a.png"
    gallery.save(line, file, title="A line", description="It is level.")
    image = Image.open(file)
    assert image.size == (600, 400)
    assert image.info["Title"] == "A line" and image.info["Description"] == "It is level."


def test_svg_speaks(tmp_path):
    file = tmp_path / "a line.svg"
    gallery.save(line, file, title="A < B", description="Level & straight.")
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.parse(file).getroot()
    spoken = {child.get("id"): child.text for child in root if child.get("id")}
    assert root.get("role") == "img"
    title, description = root.get("aria-labelledby").split()
    assert spoken[title] == "A < B" and spoken[description] == "Level & straight."
    words = ["".join(text.itertext()).strip() for text in root.iter(f"{space}text")]
    assert "0.00" in words, "text must be text"
    assert any("x" in word for word in words), "mathematics too"


def test_svg_holds_the_type_of_its_words_and_no_more(tmp_path):
    file = tmp_path / "a.svg"
    gallery.save(lambda: line(words="真 & $x$"), file, title="A line", description="Level.")
    svg = file.read_text("utf-8")
    held = re.findall(r"font-style:(\w+);src:url\(data:font/woff;base64,([^)]*)\)", svg)
    fonts = {style: TTFont(BytesIO(base64.b64decode(data))) for style, data in held}
    letters = {chr(point) for point in fonts["normal"].getBestCmap()}
    assert set("真&0125.") <= letters and len(letters) < 20
    assert ord("x") in fonts["italic"].getBestCmap()
    ElementTree.parse(file)


def test_svg_is_short_and_the_same_again(tmp_path):
    def drawn(name):
        gallery.save(line, tmp_path / name, title="A line", description="Level.")
        return (tmp_path / name).read_text("utf-8")

    one, other = drawn("a.svg"), drawn("b.svg")
    assert one == other
    paths = re.findall(r" d=\"([^\"]*)\"", one)
    assert paths and not any(re.search(r"\.\d{3}|\n", path) for path in paths)
    styles = re.findall(r' style="([^"]*)"', one)
    assert len(styles) == len(set(styles)), "what stands twice is a class"


def test_svg_is_as_exact_as_a_hundredth_of_a_point():
    """Words and lines move by less than can be seen."""
    given = "M 10.123456 -3.987654 L 0.004999 72"
    path = f'<svg width="9"><style></style><path d="{given}" style="fill: none"/></svg>'
    short = re.search(r' d="([^"]*)"', finished(path, "A", "B"))[1]
    assert len(short) < len(given)
    for one, other in zip(given.split(), short.split(), strict=True):
        if one not in ("M", "L"):
            assert float(other) == pytest.approx(float(one), abs=0.0051)


def test_two_svgs_of_a_page_share_no_name():
    def names(title):
        path = '<path style="fill: none"/>' * 2
        svg = finished(f'<svg width="9"><style></style>{path}</svg>', title, "Level.")
        return set(re.findall(r'(?:id|class)="([^"]*)"', svg))

    assert len(names("A line")) == 3 and not names("A line") & names("A curve")


def test_a_figure_has_the_seed_the_style_and_the_words_that_are_asked_for(tmp_path, monkeypatch):
    asked = []

    def drawing(seed, style):
        asked.append((seed, style))
        return line()

    texts = {"en": "A line.\n\nIt is level.", "zh": "一条线。\n\n水平的。"}
    entry = gallery.Entry("a_line", "tuning", drawing, texts)
    monkeypatch.setattr(gallery, "find", lambda names: [entry])
    file = tmp_path / "a.svg"
    gallery.draw("a_line", file, 7, preset="slide", theme="dark", language="zh", width=5)
    assert asked == [(7, Style("slide", "dark", "zh", 5))]
    spoken = file.read_text("utf-8")
    assert "一条线。 水平的。</desc>" in spoken and "It is level" not in spoken


def test_on_a_dark_ground_words_are_lighter_than_it_and_on_a_light_one_darker():
    def lightness(color):
        return sum(to_rgb(color))

    for theme, sign in (("light", -1), ("dark", 1)):
        with Style(theme=theme).context():
            ground, ink = (rcParams[name] for name in ("figure.facecolor", "text.color"))
        assert sign * (lightness(ink) - lightness(ground)) > 1, theme


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path, error):
    def interrupted():
        line()
        raise error

    file = tmp_path / "a.png"
    file.write_bytes(b"old")
    with pytest.raises(error):
        gallery.save(interrupted, file, title="A line", description="Level.")
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]


def test_style_is_set_for_the_drawing_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    gallery.draw("uniform_picks", tmp_path / "a.png", theme="dark")
    gallery.find(["random_cube"])[0].function(style=Style("slide"))
    assert dict(matplotlib.rcParams) == before


def test_readme_shows_every_figure():
    page = gallery.readme()
    for entry in gallery.figures():
        assert f"![{entry.alternative}]({entry.name}.png)" in page
        assert entry.caption in page and f"`tfcourse figures {entry.name}`" in page


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ({"preset": "slides"}, "did you mean 'slide'"),
        ({"theme": "black"}, "theme must be one of light, dark, got 'black'"),
        ({"language": "de"}, "language must be one of en, zh, got 'de'"),
        ({"width": 0}, "width must be a finite number above 0"),
    ],
)
def test_a_style_that_is_none_is_refused_before_anything_is_written(tmp_path, style, words):
    with pytest.raises(ValueError, match=words):
        gallery.draw("uniform_picks", tmp_path / "a.png", **style)
    assert not list(tmp_path.iterdir())


every = pytest.mark.parametrize(
    "name",
    [pytest.param(e.name, marks=pytest.mark.long if e.trains else ()) for e in of_topics()],
)


@every
def test_a_slide_is_16_to_9_with_letters_of_at_least_16_points(drawn, name):
    figure = drawn(name, "slide", "dark")
    assert figure.get_size_inches() == pytest.approx((13.33, 7.5))
    assert min(text.get_fontsize() for text in figure.words) >= 16


def test_the_faces_functions_are_the_gallerys(tmp_path):
    import tfcourse as tfc

    for entry in of_topics():
        assert getattr(tfc.figures, entry.name) is entry.function
    figure = tfc.figures.grid_vs_random(points=3, style=tfc.figures.Style(transparent=True))
    assert "9 trials, grid: 3 values" in figure.axes[0].get_title(loc="left")
    assert figure.get_facecolor()[3] == 0
    with pytest.raises(AttributeError, match="grid_vs_randon"):
        tfc.figures.grid_vs_randon  # noqa: B018


@every
def test_in_chinese_no_english_word_is_left(drawn, name):
    known = {"hardmax", "softmax", "float", "Adam", "eager", "function", "TensorFlow"}
    known |= {"AddN", "AddV", "Mul", "Pow", "Sub"}  # operations of TensorFlow
    for text in drawn(name, "book", "light", "zh").words:
        plain = re.sub(r"\$[^$]*\$", "", text.get_text())
        assert set(re.findall("[A-Za-z]{3,}", plain)) <= known, plain
