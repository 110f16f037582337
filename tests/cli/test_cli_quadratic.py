"""`tfcourse quadratic`."""

import json

import pytest


@pytest.mark.parametrize(
    ("coefficients", "first", "last"), [((1, -10, 25), 0.1, 4.99999), ((1, -20, 100), 0.2, 9.99998)]
)
def test_json_holds_the_lectures_numbers(tfcourse, coefficients, first, last):
    done = tfcourse("quadratic", "--coefficients", *coefficients, "--v1", "--json")
    result = json.loads(done.out)
    assert (result["first_step"], result["w"], result["traces"]) == (first, last, 1)
    assert result["v1_difference"] < 1e-5
    assert len(result["path"]) == len(result["cost"]) == 1001
    assert result["coefficients"] == list(coefficients)
    assert (result["learning_rate"], result["steps"], done.status) == (0.01, 1000, 0)


def test_it_prints_what_the_lecture_prints(tfcourse):
    done = tfcourse("quadratic")
    assert "J(w) = w² − 10w + 25, minimum at w = 5" in done.out
    assert "w = 0.10000" in done.out and "w = 4.99999" in done.out
    assert done.err == ""


DIVERGES = [
    (("--lr", 1.1), "α = 1.1 is not between 0 and 2/J″ = 1; each step multiplies .* by −1.2"),
    (("--lr", 0), "α = 0 is not between .* by 1"),
    (("--lr", 2, "--optimizer", "Momentum"), "2(1 + β)/J″ = 1.9"),
    (("--lr", 500, "--optimizer", "RMSprop"), "w ended farther from the minimum than it began"),
]


@pytest.mark.parametrize(("arguments", "why"), DIVERGES)
def test_divergence_is_shown_with_its_reason(tfcourse, tmp_path, arguments, why):
    plot = tmp_path / "divergence.png"
    done = tfcourse("quadratic", *arguments, "--plot", plot)
    lines = [line for line in done.out.splitlines() if line.startswith("does not converge")]
    assert len(lines) == 1
    assert all(part in lines[0] for part in why.split(" .* ")), lines
    assert (done.status, done.err, plot.exists()) == (0, "", True)


def test_json_has_the_path_that_diverges_up_to_where_float32_ends(tfcourse):
    result = json.loads(tfcourse("quadratic", "--lr", 1.1, "--v1", "--json").out)
    assert result["path"][:3] == pytest.approx([0, 11, -2.2])
    assert result["cost"][234] > 1e38 and result["cost"][235] is None
    assert result["w"] is None and result["why"].startswith("does not converge")
    assert result["v1_difference"] < 1e-5 * max(map(abs, result["path"][:235]))


def test_json_gives_no_reason_where_there_is_none(tfcourse):
    for arguments in (), ("--optimizer", "adam", "--lr", 0.1):
        result = json.loads(tfcourse("quadratic", *arguments, "--steps", 50, "--json").out)
        assert result["why"] is None and len(result["path"]) == 51


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_plot_is_the_same_file_every_time(tfcourse, tmp_path, suffix):
    plot = tmp_path / f"é 图.{suffix}"
    tfcourse("quadratic", "--steps", 20, "--plot", plot)
    first = plot.read_bytes()
    tfcourse("quadratic", "--steps", 20, "--plot", plot)
    assert plot.read_bytes() == first and len(first) > 1000
    assert [path.name for path in tmp_path.iterdir()] == [plot.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--coefficients", 0, -10, 25], "no minimum"),
        (["--coefficients", "nan", -10, 25], "finite"),
        (["--coefficients", "inf", -10, 25], "finite"),
        (["--coefficients", 1, -10, "x"], "got 'x'"),
        (["--coefficients", 1, -10], "requires 3"),
        (["--learning-rate", "nan"], "a finite number, got nan"),
        (["--learning-rate", "x"], "got 'x'"),
        (["--steps", -1], "at least 0, got -1"),
        (["--steps", 1.5], "got '1.5'"),
        (["--optimizer", "adm"], "did you mean 'adam'"),
        (["--optimizer", "adam", "--v1"], "--v1 runs gradient_descent only"),
        (["--plot", "descent.txt"], "must end in .png"),
        (["--plot", "nowhere/descent.png"], "nowhere .* does not exist"),
        (["--plto", "x.png"], "No such option"),
    ],
)
def test_bad_input_is_one_line(refused, arguments, words):
    import re

    assert re.search(words, refused("quadratic", *arguments))
