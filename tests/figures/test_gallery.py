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


WITHOUT_TENSORFLOW = [
    *("grid_vs_random", "random_cube", "uniform_picks", "learning_rate_scale", "beta_scale"),
    *("beta_sensitivity", "framework_speed"),
]


def test_figures_that_need_no_tensorflow_never_import_it(tmp_path):
    code = (
        "import sys; from tfcourse.figures import gallery;"
        f"[gallery.draw(n, {str(tmp_path)!r} + '/' + n + '.png') for n in {WITHOUT_TENSORFLOW}];"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done
    assert len(list(tmp_path.iterdir())) == len(WITHOUT_TENSORFLOW)


def test_every_figure_has_a_name_of_its_own_a_caption_and_a_description():
    names = [entry.name for entry in gallery.ENTRIES]
    assert len(set(names)) == len(names)
    for entry in gallery.ENTRIES:
        assert entry.part in gallery.PARTS
        assert entry.function.__name__ == entry.name
        assert entry.caption.endswith(".") and len(entry.caption) < 220, entry.name
        assert len(entry.description) > len(entry.caption) + 80, entry.name
        assert entry.width <= 6.4, "wider than a page's text"


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'beta_scale'"):
        gallery.find(["beta_scales"])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_drawing_is_the_same_file(tmp_path, suffix):
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for file in files:
        gallery.draw("uniform_picks", file)
    one, other = (file.read_bytes() for file in files)
    # An SVG's spoken words are told apart by the figure's name, not by the file's.
    assert one == other and len(one) > 5000


def test_another_process_draws_the_same_file(tmp_path):
    code = "from tfcourse.figures import gallery; gallery.draw('random_cube', {!r})"
    for name in ("a.svg", "b.svg"):
        subprocess.run([sys.executable, "-c", code.format(str(tmp_path / name))], check=True)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


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
        assert f"![{entry.title}]({entry.name}.png)" in page
        assert entry.caption in page and f"`tfcourse figures {entry.name}`" in page
