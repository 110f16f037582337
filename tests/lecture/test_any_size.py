"""Figures at sizes of one's own: their words have room, or the size is refused in a line."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shared import crowded, words

from tfcourse._checks import InputError
from tfcourse.lecture import gallery
from tfcourse.lecture.style import Style

UNTRAINED = [entry.name for entry in gallery.figures() if not entry.trains]
USUAL = {"book": (6.4, 11), "slide": (13.33, 20)}  # width in inches, letters in points


def drawn_at(name, preset="book", across=1.0, letters=1.0, language="en", height=None):
    """The figure at so many times the preset's width, with letters of so many times its size."""
    width, points = USUAL[preset]
    width, points = round(across * width, 2), round(letters * points, 1)
    style = Style(preset, language=language, width=width, height=height, points=points)
    figure = gallery.find([name])[0].function(style=style)
    with style.context():
        return figure, words(figure)


@pytest.mark.parametrize(
    "across", [0.95, *(pytest.param(x, marks=pytest.mark.long) for x in (1.3, 2.0))]
)
@pytest.mark.parametrize("name", UNTRAINED)
def test_a_little_narrower_and_any_wider_all_words_have_room(name, across):
    assert crowded(*drawn_at(name, across=across)) == []


@pytest.mark.long
@pytest.mark.parametrize("preset", USUAL)
@pytest.mark.parametrize("name", UNTRAINED)
def test_as_the_letters_grow_so_does_the_paper_that_they_need(name, preset, drawn):
    height = drawn(name, preset).get_size_inches()[1]
    for times in (0.8, 1.6):
        figure, texts = drawn_at(name, preset, times, times, height=times * height)
        assert crowded(figure, texts, gap=0.1) == []


def law(name, **size):
    try:
        figure, texts = drawn_at(name, **size)
    except InputError as refused:
        assert str(refused).startswith(f"{name} needs more than ")
        reason = str(refused).partition(" points: ")[2]
        assert reason.endswith(("leaves the paper", "have no room")) or "overlaps" in reason
        assert "\n" not in reason
    else:
        assert crowded(figure, texts, gap=0.35) == []


sizes = {
    "name": st.sampled_from(UNTRAINED),
    "preset": st.sampled_from([*USUAL]),
    "across": st.floats(0.3, 2.5),
    "letters": st.floats(0.7, 2.5),
    "language": st.sampled_from(["en", "zh"]),
    "height": st.none() | st.floats(1, 10),
}


TWICE = {"name": "beta_sensitivity", "preset": "book", "across": 2.0, "letters": 2.0}


@settings(max_examples=12, deadline=None, derandomize=True)
@example(TWICE | {"language": "en", "height": None})
@given(st.fixed_dictionaries(sizes))
def test_any_size_has_room_for_the_words_or_is_refused(size):
    law(**size)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries(sizes))
def test_any_size_has_room_for_the_words_or_is_refused_at_length(size):
    law(**size)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("softmax_layer", {"width": 3.2}, "3.2 by 2.4 inches for letters .* overlaps"),
        ("softmax_layer", {"points": 40}, "for letters of 40 points: "),
        ("cross_entropy", {"width": 4}, "'A probability of 0.2 .*' leaves the paper"),
    ],
)
def test_nothing_is_written_where_there_is_no_room(tmp_path, name, size, words):
    with pytest.raises(InputError, match=f"{name} needs more than .*{words}"):
        gallery.draw(name, tmp_path / "a.png", **size)
    assert list(tmp_path.iterdir()) == []
