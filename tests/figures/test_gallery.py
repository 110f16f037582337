"""The registry, and how a figure becomes a file."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest
from PIL import Image

from tfcourse.figures import drawing, gallery


def line(figure, seed, at=0.5, words="$x^2$"):
    """A line and a word, to draw with."""
    axes = figure.subplots()
    axes.plot([0, 1], [at, at])
    axes.set(title=words, ylim=(0, 1))


def test_names_parts_and_captions_need_neither_matplotlib_nor_tensorflow():
    code = (
        "import sys; from tfcourse.figures import gallery;"
        "[(e.name, e.part, e.caption) for e in gallery.ENTRIES];"
        "print(*{'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "\n", done


def test_every_figure_has_a_name_of_its_own_a_caption_and_a_description():
    names = [entry.name for entry in gallery.ENTRIES]
    assert len(set(names)) == len(names)
    for entry in gallery.ENTRIES:
        assert entry.part in gallery.PARTS
        assert entry.function.__name__ == entry.name
        assert entry.caption.endswith(".") and len(entry.caption) < 220, entry.name
        assert 80 < len(entry.alternative) < 600, entry.name
        assert entry.width <= 6.4, "wider than a page's text"


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'beta_scale'"):
        gallery.find(["beta_scales"])


def test_a_pdf_is_the_same_file_again(tmp_path):
    files = [tmp_path / name for name in ("a.pdf", "b.pdf")]
    for file in files:
        gallery.draw("uniform_picks", file)
    one, other = (file.read_bytes() for file in files)
    assert one == other and len(one) > 5000


def test_png_has_200_dots_an_inch_and_says_what_it_shows(tmp_path):
    file = tmp_path / "a.png"
    drawing.draw(file, line, 0, width=3, height=2, title="A line", description="It is level.")
    image = Image.open(file)
    assert image.size == (600, 400)
    assert image.info["Title"] == "A line" and image.info["Description"] == "It is level."


def test_svg_speaks(tmp_path):
    file = tmp_path / "a line.svg"
    drawing.draw(file, line, 0, title="A < B", description="Level & straight.")
    space = "{http://www.w3.org/2000/svg}"
    root = ElementTree.parse(file).getroot()
    spoken = {child.get("id"): child.text for child in root if child.get("id")}
    assert root.get("role") == "img"
    title, description = root.get("aria-labelledby").split()
    assert spoken[title] == "A < B" and spoken[description] == "Level & straight."
    assert not root.findall(f".//{space}text"), "letters must be outlines"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path, error):
    def interrupted(figure, seed):
        line(figure, seed)
        raise error

    file = tmp_path / "a.png"
    file.write_bytes(b"old")
    with pytest.raises(error):
        drawing.draw(file, interrupted, 0)
    assert file.read_bytes() == b"old" and list(tmp_path.iterdir()) == [file]


def test_style_is_set_for_the_drawing_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    drawing.draw(tmp_path / "a.png", line, 0)
    assert dict(matplotlib.rcParams) == before


def test_readme_shows_every_figure():
    page = gallery.readme()
    for entry in gallery.ENTRIES:
        assert f"![{entry.alternative}]({entry.name}.png)" in page
        assert entry.caption in page and f"`tfcourse figures {entry.name}`" in page
