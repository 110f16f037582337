"""`tfcourse figures`."""

import json

import pytest
from PIL import Image

from tfcourse.lecture import gallery


def test_list_as_json_has_name_part_caption_and_alternative_text_of_each(tfcourse):
    listed = json.loads(tfcourse("figures", "--list", "--json").out)["figures"]
    assert [row["name"] for row in listed] == [entry.name for entry in gallery.figures()]
    assert all([*row] == ["name", "part", "caption", "alternative"] for row in listed)
    assert all(len(row["alternative"]) > 80 for row in listed)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_tells_every_caption_whole(tfcourse, language):
    out = "".join(tfcourse("figures", "--list", "--language", language).out.split())
    for entry in gallery.figures():
        assert "".join(entry.text(language)[0].split()) in out.replace(entry.name, "")


def test_list_draws_nothing(tfcourse, tmp_path):
    done = tfcourse("figures", "--list")
    assert "grid_vs_random" in done.out and "tuning" in done.out
    assert list(tmp_path.iterdir()) == []


def test_figures_are_drawn_in_the_formats_asked_for(tfcourse, tmp_path):
    done = tfcourse("figures", "uniform_picks", "--out", "slides", "--format", "pdf", "--json")
    [row] = json.loads(done.out)["figures"]
    assert row["files"] == ["slides/uniform_picks.pdf"] and row["seconds"] > 0
    assert [path.name for path in (tmp_path / "slides").iterdir()] == ["uniform_picks.pdf"]
    assert "1/1" in done.err and "uniform_picks" in done.err


def test_png_and_svg_into_figures_unless_told_otherwise(tfcourse, tmp_path):
    done = tfcourse("figures", "uniform_picks", "--readme")
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"uniform_picks.png", "uniform_picks.svg", "README.md"}
    assert done.out.startswith("1 figure drawn in figures in ")


def test_quick_leaves_out_what_trains(tfcourse):
    listed = json.loads(tfcourse("figures", "--list", "--quick", "--json").out)["figures"]
    quick = [entry.name for entry in gallery.figures() if not entry.trains]
    assert [row["name"] for row in listed] == quick


def test_another_seed_draws_other_points(tfcourse, tmp_path):
    files = []
    for seed in (0, 1):
        tfcourse("figures", "uniform_picks", "--format", "png", "--seed", seed, "--out", seed)
        files.append((tmp_path / str(seed) / "uniform_picks.png").read_bytes())
    assert files[0] != files[1]


def test_a_dark_slide_in_chinese(tfcourse, tmp_path):
    style = ("--preset", "slide", "--theme", "dark", "--language", "zh")
    listed = json.loads(tfcourse("figures", "random_cube", *style, "--list", "--json").out)
    assert "立方体" in listed["figures"][0]["caption"]
    tfcourse("figures", "random_cube", *style, "--format", "png", "--transparent", "--out", ".")
    image = Image.open(tmp_path / "random_cube.png")
    assert image.size[0] / image.size[1] == pytest.approx(16 / 9, rel=0.01)
    assert image.convert("RGBA").getpixel((0, 0))[3] == 0
    assert "立方体" in image.info["Description"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "poster"], "preset must be one of book, slide, got 'poster'"),
        (["--language", "fr"], "language must be one of en, zh, got 'fr'"),
        (["grid_vs_randon"], "did you mean 'grid_vs_random'"),
        (["--format", "jpeg"], "--format must be one of png, svg, pdf, got 'jpeg'"),
        (["--seed", -1], "seed must be a whole number at least 0, got -1"),
        (["--out"], "requires an argument"),
    ],
)
def test_bad_input_is_one_line(refused, arguments, words):
    assert words in refused("figures", *arguments)


def test_a_file_in_the_folders_place_is_said(refused, tmp_path):
    (tmp_path / "figures").write_text("a file")
    assert "figures" in refused("figures", "uniform_picks")
