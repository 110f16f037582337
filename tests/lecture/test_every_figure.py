"""Every figure: the same again, as committed, and legible."""

import subprocess
import sys
from itertools import cycle
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTFont
from matplotlib.mathtext import MathTextParser
from matplotlib.testing.compare import compare_images
from PIL import Image
from shared import crowded

from tfcourse.lecture import gallery
from tfcourse.lecture.style import BOOK, Style

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "figures"
FONTS = ROOT / "tfcourse" / "lecture" / "fonts"
TOLERANCE = 1.0  # root mean square over all pixels, of 255; the last test shows what that catches

QUICK = ["quadratic_descent", "computation_graph"]
LONG = ["hyperparameter_importance", "coarse_to_fine", "panda", "caviar", "covariate_shift"]
NAMES = [entry.name for entry in gallery.figures()]
COSTLY = ["batch_norm_noise", "test_time_average"]  # without TensorFlow, and slow
NUMPY = [name for name in NAMES if name not in QUICK + LONG + COSTLY]

every = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in LONG else ()) for name in NAMES]
)


@pytest.fixture(scope="session")
def redrawn(tmp_path_factory):
    """Draw a figure into a file, once: `redrawn("beta_scale.svg")`."""
    folder = tmp_path_factory.mktemp("figures")

    def redraw(file):
        path = folder / file
        if not path.exists():
            gallery.draw(path.stem, path)
        return path

    return redraw


@pytest.mark.parametrize(
    ("names", "tensorflow"),
    [
        pytest.param(NUMPY, False, id="without TensorFlow", marks=pytest.mark.whole),
        pytest.param(COSTLY, False, id="without it, costly", marks=pytest.mark.long),
        pytest.param(QUICK, True, id="with TensorFlow", marks=pytest.mark.whole),
        pytest.param(LONG, True, id="trained with TensorFlow", marks=pytest.mark.long),
    ],
)
def test_another_process_draws_the_same_files(names, tensorflow, redrawn, tmp_path):
    suffixes = cycle(("svg", "png", "png", "png"))  # PNGs are also compared with the committed ones
    files = [f"{name}.{suffix}" for name, suffix in zip(names, suffixes, strict=False)]
    code = (
        "import sys; from pathlib import Path; from tfcourse.lecture import gallery\n"
        "for file in map(Path, sys.argv[1:]): gallery.draw(file.stem, file)\n"
        "print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"{tensorflow}\n", done
    for file in files:
        assert (tmp_path / file).read_bytes() == redrawn(file).read_bytes(), file


def difference(committed, redrawn):
    """What differs, or nothing."""
    result = compare_images(str(committed), str(redrawn), TOLERANCE, in_decorator=True)
    return result and result["rms"]


@every
def test_redrawn_it_is_the_committed_image(name, redrawn, tmp_path):
    committed = COMMITTED / f"{name}.png"
    drawn_with = Image.open(committed).info["Software"]
    if f"version{matplotlib.__version__}," not in drawn_with:
        pytest.skip(f"the committed image is {drawn_with.partition(',')[0]}'s")
    again = tmp_path / f"{name}.png"  # images of what differs are written beside it
    again.write_bytes(redrawn(f"{name}.png").read_bytes())
    assert difference(committed, again) is None


def test_every_figure_is_committed_as_png_and_svg_and_shown_by_the_readme():
    for suffix in ("png", "svg"):
        assert {path.stem for path in COMMITTED.glob(f"*.{suffix}")} == set(NAMES)
    assert (COMMITTED / "README.md").read_text("utf-8") == gallery.readme()


def test_the_tolerance_catches_a_moved_line(tmp_path):
    def drawing_of(shift):
        def curve():
            figure = BOOK.page(3.2)
            axes = figure.subplots()
            axes.plot([0, 1], [0.5 + shift, 0.6 + shift])
            axes.set(ylim=(0, 1))
            return figure

        path = tmp_path / f"{shift}.png"
        gallery.save(curve, path, title="A curve", description="It rises.")
        return path

    assert difference(drawing_of(0.0), drawing_of(0.0)) is None
    assert difference(drawing_of(0.0), drawing_of(0.01)) > TOLERANCE


TOPICS = [entry.name for entry in gallery.figures() if hasattr(entry.function, "__name__")]
BOTH = ("book", "light"), ("slide", "dark", "zh")  # every word and every colour
MIXED = ("book", "light", "zh"), ("slide", "dark")
STYLES = [(name, "book", "light") for name in NAMES]
STYLES += [(name, *style) for name in TOPICS for style in (BOTH[1], *MIXED)]


def suite(name, *style):
    return pytest.mark.long if name in LONG else pytest.mark.whole if style in MIXED else ()


styles = pytest.mark.parametrize(
    ("name", "style"), [pytest.param(n, s, marks=suite(n, *s)) for n, *s in STYLES]
)


@styles
def test_words_are_large_enough_do_not_overlap_and_stay_on_the_paper(drawn, name, style):
    figure = drawn(name, *style)
    assert figure.words and not crowded(figure, figure.words)
    assert min(text.get_fontsize() for text in figure.words) >= 9


OWN = {path.stem: TTFont(path).getBestCmap() for path in FONTS.glob("*.ttf")}


@styles
def test_every_letter_is_of_our_own_type(drawn, name, style):
    for text in drawn(name, *style).words:
        words, is_math = text._preprocess_math(text.get_text())
        if is_math:
            with Style(*style).context():
                parsed = MathTextParser("path").parse(words, 72, text.get_fontproperties())
            assert {glyph[0].family_name for glyph in parsed.glyphs} == {"tfcourse Sans"}, words
            assert "¤" not in {chr(glyph[2]) for glyph in parsed.glyphs}, words
        else:
            assert text.get_fontfamily()[0] == "tfcourse Sans"
            missing = {letter for letter in words if ord(letter) not in OWN["tfcourse-sans"]}
            assert missing <= {"\n"}, f"scripts/make_font.py must be run again for {missing}"
